// Receives in every shape that a program can make of them, on TCP: what each returns, what it left in
// the buffer and what is left to read is printed.
#include "../guests/guest.h"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#include <alloca.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int client, server;

static void connection(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address), one = 1;
    client = tcp_connect(&address);
    server = accept(listener, 0, 0);
    TRY(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    close(listener);
}

static void end(void) {
    close(client);
    close(server);
}

// Waits until `count` bytes can be read.
static void holds(int count) {
    int there = -1;
    for (int i = 0; i < 5000 && there != count; i++) {
        TRY(ioctl(server, FIONREAD, &there));
        if (there != count) usleep(1000);
    }
    NEED(there == count);
}

static void shown(const char *what, ssize_t result, const void *buffer) {
    int error = errno, left = -1;
    ioctl(server, FIONREAD, &left);
    printf("%s: %zd", what, result);
    if (result < 0) printf(" %s", strerrorname_np(error));
    if (result > 0 && buffer) printf(" '%.*s'", (int)(result < 40 ? result : 40), (const char *)buffer);
    printf(", %d left\n", left);
    fflush(stdout);
}
#define SHOW(what, call, buffer) (errno = 0, shown(what, call, buffer))

static void buffers(void) {
    connection();
    long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(0, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), plain[64];
    TRY(munmap(pages + 2 * page, page));
    give(client, "0123456789");
    holds(10);
    SHOW("over the end of memory", read(server, pages + 2 * page - 4, 10), 0);
    printf("there now: '%.4s'\n", pages + 2 * page - 4);
    SHOW("to its last byte", read(server, pages + 2 * page - 4, 4), pages + 2 * page - 4);
    TRY(mprotect(pages, page, PROT_READ));
    SHOW("read-only", read(server, pages, 3), 0);
    SHOW("from read-only into writable", read(server, pages + page - 1, 3), 0);
    TRY(mprotect(pages, page, PROT_NONE));
    SHOW("no access", recv(server, pages, 3, 0), 0);
    SHOW("null", read(server, NULL, 3), 0);
    SHOW("null, nothing wanted", read(server, NULL, 0), 0);
    SHOW("kernel's", read(server, (void *)0xffff800000000000, 3), 0);
    SHOW("nothing wanted", recv(server, plain, 0, 0), 0);
    SHOW("all of memory wanted", read(server, plain, SIZE_MAX), 0);
    SHOW("half of memory wanted", read(server, plain, SIZE_MAX / 2), 0);
    SHOW("two gigabytes", read(server, pages + page, 2u << 30), pages + page);
    give(client, "abc");
    holds(3);
    static char low[64];
    SHOW("recv of all of memory", recv(server, low, SIZE_MAX, 0), low);
    char *deep = alloca(4 << 20);
    give(client, "deep");
    holds(4);
    SHOW("stack that was never touched", read(server, deep, 16), deep);
    int file = memfd_create("file", 0);
    TRY(ftruncate(file, 5));
    char *mapped = mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    give(client, "mapped");
    holds(6);
    SHOW("beyond the end of a mapped file", read(server, mapped + page, 6), 0);
    SHOW("a mapped file", read(server, mapped, 6), mapped);
    pread(file, plain, 5, 0);
    printf("file: '%.5s'\n", plain);
    end();
}

static void flags(void) {
    connection();
    char buffer[64] = {0};
    SHOW("nothing there", recv(server, buffer, 9, MSG_DONTWAIT), 0);
    give(client, "0123456789abcdef");
    holds(16);
    SHOW("peek", recv(server, buffer, 4, MSG_PEEK), buffer);
    SHOW("read", read(server, buffer, 4), buffer);
    SHOW("discard", recv(server, buffer, 2, MSG_TRUNC), 0);
    SHOW("read", read(server, buffer, 2), buffer);
    SHOW("peek and trunc", recv(server, buffer, 2, MSG_PEEK | MSG_TRUNC), 0);
    SHOW("wait for all of what is there", recv(server, buffer, 4, MSG_WAITALL), buffer);
    SHOW("nonsense", recv(server, buffer, 4, 0x400000), buffer);
    SHOW("queue of errors", recv(server, buffer, 4, MSG_ERRQUEUE), 0);
    TRY(ioctl(server, FIONBIO, &(int){1}));
    SHOW("the rest", read(server, buffer, sizeof buffer), buffer);
    SHOW("would wait", read(server, buffer, sizeof buffer), 0);
    TRY(fcntl(server, F_SETFL, 0));
    struct timeval limit = {0, 20000};
    TRY(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    SHOW("waits in vain", read(server, buffer, sizeof buffer), 0);
    int copy = dup(server);
    give(client, "by a copy");
    holds(9);
    SHOW("a copy", read(copy, buffer, 4), buffer);
    close(server);
    SHOW("closed", read(server, buffer, 4), 0);
    server = copy;
    SHOW("the copy alone", read(server, buffer, 40), buffer);
    give(client, "last");
    holds(4);
    TRY(shutdown(server, SHUT_RD));
    SHOW("after shutdown", read(server, buffer, 2), buffer);
    SHOW("after shutdown", read(server, buffer, 40), buffer);
    SHOW("after shutdown", read(server, buffer, 40), 0);
    end();
}

static void urgent(int in_line) {
    connection();
    char buffer[64];
    int mark = -1;
    TRY(setsockopt(server, SOL_SOCKET, SO_OOBINLINE, &in_line, sizeof in_line));
    give(client, "ab");
    NEED(send(client, "!", 1, MSG_OOB) == 1);
    give(client, "cd");
    usleep(50000); // what FIONREAD says of urgent data is another matter
    SHOW("up to the mark", read(server, buffer, sizeof buffer), buffer);
    TRY(ioctl(server, SIOCATMARK, &mark));
    printf("at the mark: %d\n", mark);
    SHOW("urgent", recv(server, buffer, 1, MSG_OOB), buffer);
    SHOW("beyond the mark", read(server, buffer, sizeof buffer), buffer);
    TRY(ioctl(server, SIOCATMARK, &mark));
    printf("at the mark: %d\n", mark);
    end();
}

static void edges(void) {
    connection();
    char buffer[64];
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, server, &event));
    give(client, "0123456789");
    holds(10);
    printf("edge: %d\n", epoll_wait(set, &event, 1, 5000));
    SHOW("a part", read(server, buffer, 4), buffer);
    printf("no edge: %d\n", epoll_wait(set, &event, 1, 20));
    give(client, "ab");
    holds(8);
    printf("edge: %d\n", epoll_wait(set, &event, 1, 5000));
    SHOW("all", read(server, buffer, sizeof buffer), buffer);
    event.events = EPOLLIN | EPOLLONESHOT;
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, server, &event));
    printf("empty: %d\n", epoll_wait(set, &event, 1, 20));
    give(client, "xyz");
    printf("once: %d\n", epoll_wait(set, &event, 1, 5000));
    SHOW("a part", read(server, buffer, 1), buffer);
    printf("not twice: %d\n", epoll_wait(set, &event, 1, 20));
    event.events = EPOLLIN | EPOLLONESHOT;
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, server, &event));
    printf("armed again: %d\n", epoll_wait(set, &event, 1, 5000));
    SHOW("all", read(server, buffer, sizeof buffer), buffer);
    close(set);
    end();
}

static volatile int rung;
static void ring(int signal) { rung += signal == SIGALRM; }

static void signals(int restart) {
    connection();
    char buffer[64];
    struct sigaction action = {.sa_handler = ring, .sa_flags = restart ? SA_RESTART : 0};
    TRY(sigaction(SIGALRM, &action, 0));
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    rung = 0;
    give(client, "here");
    holds(4);
    TRY(sigprocmask(SIG_BLOCK, &alarm_only, 0));
    raise(SIGALRM);
    SHOW("a signal waits", read(server, buffer, 2), buffer);
    TRY(sigprocmask(SIG_UNBLOCK, &alarm_only, 0));
    SHOW("after it", read(server, buffer, 20), buffer);
    printf("rung: %d\n", rung);
    pid_t child = fork();
    if (!child) {
        for (int i = 0; i < 5; i++) {
            usleep(20000);
            kill(getppid(), SIGALRM);
        }
        usleep(20000);
        give(client, "late");
        _exit(0);
    }
    SHOW("interrupted", read(server, buffer, sizeof buffer), buffer);
    while (waitpid(child, 0, 0) != child) {}
    end();
}

// Accepted sockets have the options of their listener.
static void inherited(int option, int value) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address), one = 1;
    if (setsockopt(listener, SOL_SOCKET, option, &value, sizeof value) < 0) {
        printf("%s\n", strerrorname_np(errno));
        return;
    }
    client = tcp_connect(&address);
    TRY(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    server = accept(listener, 0, 0);
    char buffer[64];
    give(client, "ab");
    holds(2);
    struct timeval limit = {0, 100000};
    TRY(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    SHOW("inherited option", read(server, buffer, sizeof buffer), buffer);
    clock_gettime(CLOCK_MONOTONIC, &after);
    // With a low-water mark of 4 it waits in vain for two more bytes.
    double waited = (after.tv_sec - before.tv_sec) + 1e-9 * (after.tv_nsec - before.tv_nsec);
    printf("waited: %d\n", option == SO_RCVLOWAT && waited > 0.09);
    give(client, "cdef");
    holds(4);
    SHOW("enough", read(server, buffer, sizeof buffer), buffer);
    close(listener);
    end();
}

static void *closes(void *unused) {
    (void)unused;
    usleep(30000);
    close(server);
    usleep(30000);
    give(client, "to a closed one");
    return 0;
}

static void closed_meanwhile(void) {
    connection();
    char buffer[64];
    int number = server;
    pthread_t thread;
    TRY(-pthread_create(&thread, 0, closes, 0));
    ssize_t count = read(number, buffer, sizeof buffer);
    pthread_join(thread, 0);
    shown("closed while it waits", count, buffer);
    SHOW("again", read(number, buffer, sizeof buffer), 0);
    close(client);
}

static void large(void) {
    connection();
    enum { SIZE = 3000000 };
    pid_t child = fork();
    if (!child) {
        char *bytes = malloc(SIZE);
        for (int i = 0; i < SIZE; i++) bytes[i] = (char)(i * 31 + i / 4096);
        for (ssize_t sent = 0; sent < SIZE;) sent += write(client, bytes + sent, SIZE - sent);
        _exit(0);
    }
    close(client);
    char *bytes = malloc(SIZE + 1);
    int wrong = 0, got = 0, size = 1;
    for (ssize_t count; (count = read(server, bytes, size)) > 0; got += count) {
        for (int i = 0; i < count; i++) wrong += bytes[i] != (char)((got + i) * 31 + (got + i) / 4096);
        size = size * 3 % SIZE + 1;
    }
    printf("large: %d bytes, %d wrong\n", got, wrong);
    reap(child, 0);
    close(server);
}

static void families(void) {
    connection();
    char buffer[64];
    give(client, "for two");
    holds(7);
    pid_t child = fork();
    if (!child) {
        SHOW("child", read(server, buffer, 4), buffer);
        exit(0);
    }
    reap(child, 0);
    SHOW("parent", read(server, buffer, 40), buffer);
    struct linger linger = {1, 0};
    TRY(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    give(client, "lost or not");
    holds(11);
    close(client);
    struct pollfd wait = {server, 0, 0};
    poll(&wait, 1, 5000);
    SHOW("before a reset", read(server, buffer, 4), buffer);
    SHOW("before a reset", read(server, buffer, 40), buffer);
    SHOW("the reset", read(server, buffer, 40), 0);
    SHOW("the end", read(server, buffer, 40), 0);
    int error = -1;
    socklen_t length = sizeof error;
    getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &length);
    printf("error left: %d\n", error);
    close(server);
}

int main(void) {
    setvbuf(stdout, 0, _IOLBF, 0);
    buffers();
    flags();
    urgent(0);
    urgent(1);
    edges();
    signals(0);
    signals(1);
    inherited(SO_RCVLOWAT, 4);
    inherited(SO_PEEK_OFF, 0);
    inherited(SO_RCVBUF, 4096);
    closed_meanwhile();
    large();
    families();
}
