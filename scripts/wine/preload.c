/*
 * Loaded into every Wine process (LD_PRELOAD): pcap_next_ex with the timeout of
 * Npcap's, which returns 0 when that is over. libpcap with TPACKET_V3 waits for
 * ever on an idle interface. Here it waits in slices, between which
 * pcap_breakloop is heeded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

typedef struct pcap pcap_t;

enum { handles = 256, slice = 20 /* ms */ };

static struct { pcap_t *pcap; int timeout; } opened[handles];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* libpcap is loaded by wpcap.so for itself only: RTLD_NEXT does not see it. */
static void *libpcap(const char *name)
{
    void *lib = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_NOLOAD);
    return lib ? dlsym(lib, name) : NULL;
}

#define REAL(result, name, ...) ((result (*)(__VA_ARGS__))libpcap(#name))

/* Replaces what is known of a handle; a timeout of -1 forgets it. */
static void remember(pcap_t *pcap, int timeout)
{
    int i, place = -1;
    pthread_mutex_lock(&lock);
    for (i = 0; i < handles && (place < 0 || opened[place].pcap != pcap); i++)
        if (opened[i].pcap == pcap || (!opened[i].pcap && place < 0)) place = i;
    if (place >= 0) {
        opened[place].pcap = timeout < 0 ? NULL : pcap;
        opened[place].timeout = timeout;
    }
    pthread_mutex_unlock(&lock);
}

static int timeout_of(pcap_t *pcap)
{
    int i, timeout = 0;
    pthread_mutex_lock(&lock);
    for (i = 0; i < handles; i++)
        if (opened[i].pcap == pcap) timeout = opened[i].timeout;
    pthread_mutex_unlock(&lock);
    return timeout;
}

static void never_block(pcap_t *pcap)
{
    char why[256]; /* PCAP_ERRBUF_SIZE */
    REAL(int, pcap_setnonblock, pcap_t *, int, char *)(pcap, 1, why);
}

static long long now(void) /* ms */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

pcap_t *pcap_open_live(const char *device, int snaplen, int promisc, int timeout, char *why)
{
    pcap_t *pcap = REAL(pcap_t *, pcap_open_live, const char *, int, int, int, char *)(device, snaplen, promisc, timeout, why);
    if (pcap) {
        remember(pcap, timeout);
        never_block(pcap);
    }
    return pcap;
}

int pcap_set_timeout(pcap_t *pcap, int timeout)
{
    remember(pcap, timeout);
    return REAL(int, pcap_set_timeout, pcap_t *, int)(pcap, timeout);
}

int pcap_activate(pcap_t *pcap)
{
    int status = REAL(int, pcap_activate, pcap_t *)(pcap);
    if (status >= 0) never_block(pcap);
    return status;
}

void pcap_close(pcap_t *pcap)
{
    remember(pcap, -1);
    REAL(void, pcap_close, pcap_t *)(pcap);
}

int pcap_next_ex(pcap_t *pcap, void **header, const unsigned char **data)
{
    int (*next_ex)(pcap_t *, void **, const unsigned char **) = libpcap("pcap_next_ex");
    int timeout = timeout_of(pcap), status;
    struct pollfd fd = { REAL(int, pcap_get_selectable_fd, pcap_t *)(pcap), POLLIN, 0 };
    long long end;

    if ((status = next_ex(pcap, header, data)) != 0) return status;
    for (end = now() + timeout; timeout <= 0 || now() < end; ) {
        poll(&fd, 1, slice);
        if ((status = next_ex(pcap, header, data)) != 0) return status;
    }
    return 0;
}
