// A socket that shuts its reading side down sees an end of its own making, and goes on sending;
// of AF_UNIX the peer's next send fails by it.
#include "guest.h"
int main(void) {
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    TRY(shutdown(server, SHUT_RD));
    end_of(server);
    give(server, "still here");
    take(client, "still here");
    TRY(close(server));
    end_of(client);
    int pair[2];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    give(pair[0], "before");
    TRY(shutdown(pair[1], SHUT_RD));
    NEED(write(pair[0], "after", 5) == -1 && errno == EPIPE);
    take(pair[1], "before");
    end_of(pair[1]);
    return 0;
}
