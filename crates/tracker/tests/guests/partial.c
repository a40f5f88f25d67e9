// A write that takes only part of its bytes, one that takes none (EAGAIN), and their retries.
#include "guest.h"
static char buffer[1 << 20];
int main(void) {
    int ends[2];
    TRY(pipe2(ends, O_NONBLOCK));
    TRY(fcntl(ends[1], F_SETPIPE_SZ, 65536));
    NEED(write(ends[1], buffer, 100000) == 65536);
    NEED(write(ends[1], buffer, 1) == -1 && errno == EAGAIN);
    NEED(read(ends[0], buffer, sizeof buffer) == 65536);
    NEED(write(ends[1], buffer + 65536, 34464) == 34464);
    NEED(read(ends[0], buffer, sizeof buffer) == 34464);
    NEED(read(ends[0], buffer, 1) == -1 && errno == EAGAIN);
}
