// A library for LD_PRELOAD that makes writes and syncs of some files fail, and sets the wall clock of the process. A test maps the same
// control file and changes the mode while the process runs. DUNLIN_FAULTS names the control file, DUNLIN_FAULTS_UNDER the folder of the
// files.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NONE, SYNC_FAILS, SYNC_IS_SLOW, WRITE_IS_SHORT, WRITE_FAILS, DISK_IS_FULL };

struct control {
  _Atomic int mode;
  _Atomic int milliseconds; // of a slow sync
  _Atomic int hits;         // calls that the library changed
  _Atomic int seconds;      // added to the wall clock; the monotonic clock stays real, as on a machine whose clock is set
};

static struct control nothing, *control = &nothing;
static const char *folder = "";
static ssize_t (*next_write)(int, const void *, size_t);
static ssize_t (*next_pwrite)(int, const void *, size_t, off_t);
static int (*next_fsync)(int), (*next_fdatasync)(int);
static int (*next_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  next_write = dlsym(RTLD_NEXT, "write");
  next_pwrite = dlsym(RTLD_NEXT, "pwrite");
  next_fsync = dlsym(RTLD_NEXT, "fsync");
  next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  const char *name = getenv("DUNLIN_FAULTS"), *under = getenv("DUNLIN_FAULTS_UNDER");
  int file = name && under ? open(name, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map == MAP_FAILED) return;
  folder = under;
  control = map;
}

// Returns the mode for a file, and counts the call if it is one of two modes.
static int mode_of(int file, int first, int second) {
  int mode = atomic_load(&control->mode);
  if (mode != first && mode != second) return NONE;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return NONE;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0) return NONE;
  atomic_fetch_add(&control->hits, 1);
  return mode;
}

static int sync_of(int file, int (*next)(int)) {
  switch (mode_of(file, SYNC_FAILS, SYNC_IS_SLOW)) {
    case SYNC_FAILS: errno = EIO; return -1;
    case SYNC_IS_SLOW: {
      int milliseconds = atomic_load(&control->milliseconds);
      struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
      nanosleep(&wait, NULL);
      return next(file);
    }
    default: return next(file);
  }
}

// Returns the number of bytes to write, or -1 with errno.
static ssize_t allowed(int file, size_t count) {
  int mode = atomic_load(&control->mode);
  if (mode == WRITE_IS_SHORT && mode_of(file, mode, mode)) return count > 1 ? count / 2 : count;
  if (mode == WRITE_FAILS && mode_of(file, mode, mode)) { errno = EIO; return -1; }
  if (mode == DISK_IS_FULL && mode_of(file, mode, mode)) { errno = ENOSPC; return -1; }
  return count;
}

int fsync(int file) { return sync_of(file, next_fsync); }
int fdatasync(int file) { return sync_of(file, next_fdatasync); }

ssize_t write(int file, const void *data, size_t count) {
  ssize_t some = allowed(file, count);
  return some < 0 ? -1 : next_write(file, data, some);
}

ssize_t pwrite(int file, const void *data, size_t count, off_t offset) {
  ssize_t some = allowed(file, count);
  return some < 0 ? -1 : next_pwrite(file, data, some, offset);
}

ssize_t pwrite64(int file, const void *data, size_t count, off_t offset) { return pwrite(file, data, count, offset); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  // Before the constructor has run, another library may ask.
  if (!next_clock_gettime) next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  int result = next_clock_gettime(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += atomic_load(&control->seconds);
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec real;
  int result = clock_gettime(CLOCK_REALTIME, &real);
  now->tv_sec = real.tv_sec;
  now->tv_usec = real.tv_nsec / 1000;
  return result;
}

time_t time(time_t *now) {
  struct timespec real;
  clock_gettime(CLOCK_REALTIME, &real);
  if (now) *now = real.tv_sec;
  return real.tv_sec;
}
