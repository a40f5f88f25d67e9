// Datagrams: by content and order; a lost one is never received; an empty one is no end of stream.
#include "guest.h"
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char buffer[64];
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    TRY(bind(server, (void *)&address, length));
    TRY(getsockname(server, (void *)&address, &length));
    NEED(sendto(client, "same", 4, 0, (void *)&address, length) == 4);
    NEED(sendto(client, "same", 4, 0, (void *)&address, length) == 4);
    NEED(sendto(client, "", 0, 0, (void *)&address, length) == 0);
    NEED(sendto(client, "a long one", 10, 0, (void *)&address, length) == 10);
    struct sockaddr_in from;
    NEED(recvfrom(server, buffer, 64, 0, (void *)&from, &length) == 4);
    NEED(recvfrom(server, buffer, 64, MSG_PEEK, (void *)&from, &length) == 4);
    NEED(recv(server, buffer, 64, 0) == 4);
    NEED(recv(server, buffer, 64, 0) == 0);
    NEED(recv(server, buffer, 6, MSG_TRUNC) == 10);
    NEED(sendto(server, "answer", 6, 0, (void *)&from, length) == 6);
    NEED(recv(client, buffer, 64, 0) == 6);
    TRY(connect(client, (void *)&address, length));
    NEED(send(client, "lost", 4, 0) == 4);
}
