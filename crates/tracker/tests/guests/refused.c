// Nobody listens: the connect fails, and nothing comes before its failure.
#include "guest.h"
int main(void) {
    struct sockaddr_in address;
    close(tcp_listen(&address));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(client, (void *)&address, sizeof address) == -1 && errno == ECONNREFUSED);
}
