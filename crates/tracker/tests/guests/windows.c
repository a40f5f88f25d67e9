// Reads that begin and end inside writes: each is matched to the writes its window overlaps.
#include "guest.h"
int main(void) {
    int ends[2];
    char buffer[16];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    give(ends[0], "abc");
    give(ends[0], "de");
    give(ends[0], "fghi");
    NEED(recv(ends[1], buffer, 4, MSG_PEEK) == 4);
    NEED(read(ends[1], buffer, 4) == 4);
    NEED(read(ends[1], buffer, 2) == 2);
    NEED(read(ends[1], buffer, 16) == 3);
    close(ends[0]);
    end_of(ends[1]);
}
