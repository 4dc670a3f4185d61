#include "guard/processes.h"

#include "base/hash.h"
#include "base/heap.h"
#include "base/own.h"

uint64_t process_guid(uint32_t pid, uint64_t start_ns)
{
    uint64_t hash = hash_bytes(HASH_START, &start_ns, sizeof start_ns);
    return hash_bytes(hash, &pid, sizeof pid);
}

struct process *processes_at(const struct processes *p, uint32_t index)
{
    return (struct process *)((char *)p->slots + (size_t)index * PROCESS_SLOT);
}

static uint32_t index_of(const struct processes *p, const struct process *process)
{
    return (uint32_t)((size_t)((const char *)process - (const char *)p->slots) / PROCESS_SLOT);
}

static uint32_t *head_of(struct processes *p, uint64_t guid)
{
    return &p->heads[guid % p->count];
}

static void chain_in(struct processes *p, uint32_t index)
{
    uint32_t *head = head_of(p, processes_at(p, index)->guid);
    p->chain[index] = *head;
    *head = index + 1;
}

static void unlink_from(uint32_t *head, uint32_t *chain, uint32_t index)
{
    uint32_t *at = head;
    while (*at != index + 1) {
        ENSURE(*at != 0);
        at = &chain[*at - 1];
    }
    *at = chain[index];
}

static void chain_out(struct processes *p, uint32_t index)
{
    unlink_from(head_of(p, processes_at(p, index)->guid), p->chain, index);
}

static uint32_t *pid_head(struct processes *p, uint32_t pid)
{
    return &p->pid_heads[pid % p->count];
}

static void pid_in(struct processes *p, uint32_t index)
{
    uint32_t *head = pid_head(p, processes_at(p, index)->pid);
    p->pid_chain[index] = *head;
    *head = index + 1;
}

static void pid_out(struct processes *p, uint32_t index)
{
    unlink_from(pid_head(p, processes_at(p, index)->pid), p->pid_chain, index);
}

static void age_in(struct processes *p, uint32_t index)
{
    p->older[index] = p->newest;
    p->newer[index] = 0;
    if (p->newest) {
        p->newer[p->newest - 1] = index + 1;
    } else {
        p->oldest = index + 1;
    }
    p->newest = index + 1;
}

static void age_out(struct processes *p, uint32_t index)
{
    uint32_t older = p->older[index];
    uint32_t newer = p->newer[index];
    *(older ? &p->newer[older - 1] : &p->oldest) = newer;
    *(newer ? &p->older[newer - 1] : &p->newest) = older;
}

static void unuse(struct processes *p, uint32_t index)
{
    processes_at(p, index)->state = PROCESS_FREE;
    p->chain[index] = p->unused;
    p->unused = index + 1;
}

/* Ages are only an order of giving way: after a restart that of the slots will do. */
static void adopt(struct processes *p, uint32_t index)
{
    struct process *process = processes_at(p, index);
    bool right = process->sealed == 1 && process->state != PROCESS_FREE &&
                 process->guid == process_guid(process->pid, process->start_ns) &&
                 (size_t)process->path_length + process->cwd_length + process->arguments_length <=
                     PROCESS_TEXT;
    if (!right) {
        process->sealed = 0;
        unuse(p, index);
        return;
    }
    chain_in(p, index);
    if (process->state == PROCESS_ENDED) {
        age_in(p, index);
    } else {
        pid_in(p, index);
        p->live++;
    }
}

struct status processes_open(void *memory, uint32_t count, struct processes *out)
{
    struct processes p = {.slots = memory, .count = count};
    OWN(heap_drop) uint32_t *table = heap_alloc(count, 7 * sizeof *table);
    if (!table) {
        FAIL(MEMORY);
    }
    p.heads = table;
    p.chain = table + count;
    p.older = table + 2UL * count;
    p.newer = table + 3UL * count;
    p.pid_heads = table + 4UL * count;
    p.pid_chain = table + 5UL * count;
    p.seen = table + 6UL * count;
    for (uint32_t i = count; i-- > 0;) {
        adopt(&p, i);
    }
    table = NULL;
    *out = p;
    return OK;
}

void processes_done(struct processes *p)
{
    heap_free(p->heads);
    *p = (struct processes){0};
}

struct process *processes_find(struct processes *p, uint64_t guid)
{
    for (uint32_t link = *head_of(p, guid); link != 0; link = p->chain[link - 1]) {
        struct process *process = processes_at(p, link - 1);
        if (process->guid == guid) {
            return process;
        }
    }
    return NULL;
}

struct process *processes_by_pid(struct processes *p, uint32_t pid)
{
    for (uint32_t link = *pid_head(p, pid); link != 0; link = p->pid_chain[link - 1]) {
        struct process *process = processes_at(p, link - 1);
        if (process->pid == pid) {
            return process;
        }
    }
    return NULL;
}

void processes_seen(struct processes *p, const struct process *process)
{
    p->seen[index_of(p, process)] = 1;
}

unsigned processes_reconcile(struct processes *p, uint64_t start_ns, uint64_t now_ns)
{
    unsigned ended = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        struct process *process = processes_at(p, i);
        bool gone = process->state == PROCESS_LIVE && !p->seen[i] && process->start_ns < start_ns;
        ended += gone && processes_end(p, process, now_ns);
        p->seen[i] = 0;
    }
    return ended;
}

static void release_oldest(struct processes *p)
{
    uint32_t index = p->oldest - 1;
    processes_at(p, index)->sealed = 0;
    age_out(p, index);
    chain_out(p, index);
    unuse(p, index);
}

struct process *processes_claim(struct processes *p, uint32_t pid, uint64_t start_ns)
{
    uint64_t guid = process_guid(pid, start_ns);
    struct process *process = processes_find(p, guid);
    if (process) {
        process->sealed = 0;
        return process;
    }
    if (!p->unused && p->oldest) {
        release_oldest(p);
    }
    if (!p->unused) {
        p->refused++;
        return NULL;
    }
    uint32_t index = p->unused - 1;
    p->unused = p->chain[index];
    process = processes_at(p, index);
    /* The texts need no clearing: their lengths say what there is. */
    memset(process, 0, offsetof(struct process, text));
    process->state = PROCESS_LIVE;
    process->guid = guid;
    process->pid = pid;
    process->start_ns = start_ns;
    chain_in(p, index);
    pid_in(p, index);
    p->live++;
    return process;
}

void process_seal(struct process *process)
{
    /* A killed guard leaves memory as its last store did: order is all that is needed. */
    __atomic_store_n(&process->sealed, 1, __ATOMIC_RELEASE);
}

/* Of a path the end says most, of arguments the beginning. */
enum keep { KEEP_END, KEEP_BEGINNING };

static uint16_t put_text(struct process *process, size_t at, struct text text, size_t max,
                         enum keep keep, bool *cut)
{
    size_t room = PROCESS_TEXT - at < max ? PROCESS_TEXT - at : max;
    size_t over = text.len > room ? text.len - room : 0;
    *cut = *cut || over > 0;
    text = text_part(text, keep == KEEP_END ? over : 0, room);
    memmove(process->text + at, text.ptr, text.len);
    return (uint16_t)text.len;
}

void process_set_texts(struct process *process, struct process_texts t)
{
    size_t at = process->path_length =
        put_text(process, 0, t.path, PROCESS_PATH_MAX, KEEP_END, &t.path_cut);
    at += process->cwd_length = put_text(process, at, t.cwd, PROCESS_CWD_MAX, KEEP_END, &t.cwd_cut);
    process->arguments_length =
        put_text(process, at, t.arguments, PROCESS_TEXT, KEEP_BEGINNING, &t.arguments_cut);
    process->cut =
        (uint8_t)((t.path_cut ? PROCESS_CUT_PATH : 0) | (t.cwd_cut ? PROCESS_CUT_CWD : 0) |
                  (t.arguments_cut ? PROCESS_CUT_ARGUMENTS : 0));
}

struct process_texts process_texts(const struct process *process)
{
    const char *at = process->text;
    return (struct process_texts){
        .path = {.ptr = at, .len = process->path_length},
        .cwd = {.ptr = at + process->path_length, .len = process->cwd_length},
        .arguments = {.ptr = at + process->path_length + process->cwd_length,
                      .len = process->arguments_length},
        .path_cut = (process->cut & PROCESS_CUT_PATH) != 0,
        .cwd_cut = (process->cut & PROCESS_CUT_CWD) != 0,
        .arguments_cut = (process->cut & PROCESS_CUT_ARGUMENTS) != 0,
    };
}

bool processes_end(struct processes *p, struct process *process, uint64_t end_ns)
{
    if (process->state != PROCESS_LIVE) {
        return false;
    }
    process->end_ns = end_ns;
    process->state = PROCESS_ENDED;
    pid_out(p, index_of(p, process));
    age_in(p, index_of(p, process));
    p->live--;
    return true;
}
