// readv into many tiny parts, empty ones among them, and into parts of which one cannot be written;
// a write whose bytes cannot be read. What is not taken stays.
#include "guest.h"
#include <sys/mman.h>
int main(void) {
    struct sockaddr_in address;
    int listener = tcp_listen(&address);
    int client = tcp_connect(&address), server = accept(listener, 0, 0);
    char buffer[8];
    struct iovec parts[12];
    for (int i = 0; i < 12; i++) parts[i] = (struct iovec){&buffer[i / 2 % 8], i % 2};
    give(client, "abcdef and more");
    NEED(readv(server, parts, 12) == 6 && !memcmp(buffer, "abcdef", 6));
    char *gone = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(read(server, gone, 4) == -1 && errno == EFAULT);
    NEED(read(server, gone - 1 + 4096, 0) == 0);
    NEED(write(client, gone, 4) == -1 && errno == EFAULT);
    NEED(send(client, gone, 4, MSG_NOSIGNAL) == -1 && errno == EFAULT);
    take(server, " and more");
    // The same page, once it can be written, and once again not.
    TRY(mprotect(gone, 4096, PROT_READ | PROT_WRITE));
    give(client, "1");
    NEED(read(server, gone, 4) == 1 && *gone == '1');
    TRY(mprotect(gone, 4096, PROT_READ));
    give(client, "2");
    NEED(read(server, gone, 4) == -1 && errno == EFAULT);
    NEED(write(client, gone, 1) == 1);
    take(server, "21");
    return 0;
}
