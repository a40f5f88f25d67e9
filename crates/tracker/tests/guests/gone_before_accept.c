// Clients of an AF_UNIX socket that connect, send and close before anyone accepts: the kernel does not
// tell who they were, the order of the backlog does. One that is still there stands between them.
#include "guest.h"
static int reach(struct sockaddr_un *address, int kind) {
    int client = socket(AF_UNIX, kind, 0);
    TRY(client);
    TRY(connect(client, (void *)address, sizeof *address));
    return client;
}
static void talk(int kind, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "linchpin-guest-%d-%s", getpid(), name);
    int listener = socket(AF_UNIX, kind, 0);
    TRY(bind(listener, (void *)&address, sizeof address));
    TRY(listen(listener, 8));
    int first = reach(&address, kind), second = reach(&address, kind), third = reach(&address, kind);
    give(third, "third");
    TRY(close(third));
    give(first, "first");
    TRY(close(first));
    give(second, "second");
    const char *texts[] = {"first", "second", "third"};
    for (int i = 0; i < 3; i++) {
        int server = accept(listener, 0, 0);
        take(server, texts[i]);
        if (i == 1) TRY(close(second));
        end_of(server);
        TRY(close(server));
    }
    TRY(close(listener));
}
int main(void) {
    talk(SOCK_STREAM, "stream");
    talk(SOCK_SEQPACKET, "packets");
    return 0;
}
