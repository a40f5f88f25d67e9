// The fsync family, and the files it makes durable.
#include "guest.h"
int main(int count, char **arguments) {
    (void)count;
    char path[256];
    snprintf(path, sizeof path, "%.200s.data", arguments[0]);
    int file = open(path, O_CREAT | O_RDWR, 0600);
    give(file, "not a message");
    TRY(fdatasync(file));
    TRY(fsync(file));
    NEED(fsync(99) == -1);
    unlink(path);
}
