// Makes traced calls with arguments no sane program passes: any descriptor, any address, any length,
// any flag. Ends with code 0 if it lives that long. argv[1] is the seed.
#include "../guests/guest.h"
#include <sys/resource.h>
static unsigned long state;
static unsigned long any(void) {
    state |= !state;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}
static char page[1 << 20] __attribute__((aligned(4096))); // most of it for what calls write behind
static void wake(int signal) {}
#define PICK(array) array[any() % (sizeof(array) / sizeof *(array))]
static long calls[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_preadv2, SYS_pwritev2, SYS_sendto, SYS_recvfrom, SYS_sendmsg,
    SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice, SYS_socket,
    SYS_socketpair, SYS_pipe2, SYS_pipe, SYS_bind, SYS_connect, SYS_listen, SYS_accept, SYS_accept4, SYS_shutdown,
    SYS_close, SYS_close_range, SYS_dup, SYS_dup2, SYS_dup3, SYS_fcntl, SYS_setsockopt, SYS_fsync, SYS_fdatasync,
    SYS_sync_file_range, SYS_msync, SYS_openat, SYS_openat2, SYS_open, SYS_creat, SYS_wait4, SYS_waitid,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_setup, SYS_io_submit, SYS_pidfd_getfd, SYS_pwrite64, SYS_pwritev,
    SYS_ftruncate, SYS_truncate, SYS_fallocate, SYS_rename, SYS_renameat2, SYS_unlink, SYS_unlinkat, SYS_link,
    SYS_symlinkat, SYS_mkdirat, SYS_rmdir,
};
static unsigned long descriptor(void) {
    static unsigned long odd[] = {-1, -100, 0x7fffffff, 0xffffffff, 0x80000000, 1UL << 32, 0x100000003};
    return any() % 4 ? 3 + any() % 20 : PICK(odd);
}
static unsigned long word(void) {
    static unsigned long odd[] = {0, 1, 8, 64, 1024, 1025, 4096, 0x7ffff000, 0x7fffffff, 0x80000000, 0xffffffff, -1, -8,
                                  0x7fffffffffff, 0x800000000000, 1UL << 63, 2, 3, 4, 16, 56, 0x20000000, 0x40, 0x100, 0x4000};
    switch (any() % 4) {
        case 0: return (unsigned long)page + any() % 4100;
        case 1: return (unsigned long)page + 8 * (any() % 64);
        default: return PICK(odd);
    }
}
int main(int argc, char **argv) {
    state = 88172645463325252UL + atol(argv[1]) * 7919;
    struct sigaction action = {.sa_handler = wake};
    sigaction(SIGALRM, &action, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGIO, SIG_IGN);
    signal(SIGURG, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit little = {1 << 16, 1 << 16};
    TRY(setrlimit(RLIMIT_FSIZE, &little)); // fallocate would take all of the disk
    struct itimerval often = {{0, 3000}, {0, 3000}};
    setitimer(ITIMER_REAL, &often, 0);
    for (int i = 0; i < 3000; i++) {
        if (i % 100 == 0) {
            int pair[2];
            static int families[] = {AF_UNIX, AF_UNIX, AF_INET, AF_INET6};
            static int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
            socketpair(AF_UNIX, PICK(kinds), 0, pair);
            (void)!pipe(pair);
            (void)socket(PICK(families), PICK(kinds), 0);
        }
        // What headers, vectors and addresses are read from.
        for (int k = 0; k < 24; k++) ((unsigned long *)page)[any() % 512] = any() % 3 ? word() : any();
        long call = PICK(calls);
        unsigned long first = descriptor(), second = word();
        if (call == SYS_socket || call == SYS_socketpair) first = any() % 40;
        if (call == SYS_close || call == SYS_shutdown) first = any() % 3 ? first : 900;
        if (call == SYS_close_range) first = word() % 3 ? 30 + any() % 9 : word(), second = word();
        if (call == SYS_pipe || call == SYS_open || call == SYS_creat || call == SYS_rename || call == SYS_unlink ||
            call == SYS_link || call == SYS_truncate || call == SYS_rmdir || call == SYS_wait4 || call == SYS_waitid)
            first = word();
        syscall(call, first, second, word(), word(), word(), word());
    }
    return 0;
}
