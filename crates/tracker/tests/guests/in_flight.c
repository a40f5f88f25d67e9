// Descriptors under way in a message, which nobody seems to hold: a connection and a pipe whose
// holders all give them up before the receiver takes them out. Their ends come after every release,
// those that came while they were under way too, whichever came first.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    int ends[2], first[2], second[2], pair[2];
    TRY(pipe(ends));
    TRY(pipe(first));
    TRY(pipe(second));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char control[CMSG_SPACE(2 * sizeof(int))] = {0}, byte = 'd';
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    pid_t receiver = fork();
    if (receiver == 0) {
        int got[2];
        close(listener), close(client), close(server), close(ends[0]), close(ends[1]), close(pair[0]);
        take(second[0], "go");
        NEED(recvmsg(pair[1], &header, 0) == 1);
        memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof got);
        give(got[0], "taken out");
        give(got[1], "this too");
        exit(0);
    }
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(rights), (int[]){server, ends[1]}, 2 * sizeof(int));
    pid_t other = fork();
    if (other == 0) {
        // Given up after the message was sent, and before it is received.
        close(listener), close(client), close(ends[0]);
        take(first[0], "go");
        TRY(close(server));
        TRY(close(ends[1]));
        exit(0);
    }
    NEED(sendmsg(pair[0], &header, 0) == 1);
    TRY(close(server));
    TRY(close(ends[1]));
    give(first[1], "go");
    reap(other, 0);
    give(second[1], "go");
    take(client, "taken out");
    take(ends[0], "this too");
    reap(receiver, 0);
    end_of(client);
    end_of(ends[0]);
    return 0;
}
