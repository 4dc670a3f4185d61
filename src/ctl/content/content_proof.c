#include "ctl/content/content_proof.h"

#include "base/file.h"
#include "base/own.h"
#include "content/pack/pack.h"
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 32 }; /* bytes that tell what a file is */

static bool complain(int *exit_code, int code, const char *what, struct status s)
{
    char words[256];
    ctl_error("%s: %s", what, status_plain(s, words, sizeof words));
    *exit_code = code;
    return false;
}

static bool find(char path[PROGRAM_PATH], int *exit_code)
{
    struct status s = program_find("bulkhead-verify", "verify", path);
    return status_ok(s) || complain(exit_code, CTL_INTERNAL, "cannot find bulkhead-verify", s);
}

static bool ask(int pack, const char *const *options, struct content_proof *out, int *exit_code)
{
    char path[PROGRAM_PATH];
    const char *arguments[CONTENT_PROOF_OPTIONS + 2] = {"bulkhead-verify"};
    struct program_job job = {.path = path,
                              .arguments = (char *const *)(uintptr_t)arguments,
                              .input = pack,
                              .room = out->line,
                              .size = sizeof out->line - 1};
    struct program_end end;
    struct text line;
    for (size_t i = 0; options && options[i] && i < CONTENT_PROOF_OPTIONS; i++) {
        arguments[i + 1] = options[i];
    }
    if (!find(path, exit_code)) {
        return false;
    }
    struct status s = program_ask(&job, &line, &end);
    if (!status_ok(s)) {
        return complain(exit_code, CTL_INTERNAL, "cannot ask bulkhead-verify", s);
    }
    out->line[line.len ? line.len - 1 : 0] = 0;
    if (end.signal || end.code > 1 || line.len == 0) {
        ctl_error("bulkhead-verify gave no answer (%s %d): the pack counts as refused",
                  end.signal ? "signal" : "exit code", end.signal ? end.signal : end.code);
        *exit_code = CTL_INTERNAL;
        return false;
    }
    out->accepted = end.code == 0;
    return true;
}

/* The verifier would say of it that a number in its header is wrong. */
bool content_proof_likely(const char *path, struct text head)
{
    struct text name = text_of(path);
    if (text_starts(head, TEXT("\x28\xb5\x2f\xfd")) ||
        text_starts(head, TEXT("{\"bulkhead_recording\""))) {
        ctl_error("%s is a recording, and no pack: `bulkhead content replay PACK %s`", path, path);
        return false;
    }
    if (!text_starts(head, TEXT(PACK_MAGIC)) &&
        (text_ends(name, TEXT(".yml")) || text_ends(name, TEXT(".yaml")) ||
         text_ends(name, TEXT(".yar")) || text_ends(name, TEXT(".yara")))) {
        ctl_error("%s holds rules, and is no pack: `bulkhead content build %s -o PACK`", path,
                  path);
        return false;
    }
    return true;
}

/* A folder, or nothing that could be a pack: said here, where the name is known. */
static bool look(const char *path, int fd)
{
    char head[HEAD];
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        ctl_error("cannot read %s: it is a folder", path);
        return false;
    }
    ssize_t got = pread(fd, head, sizeof head, 0);
    return got <= 0 || content_proof_likely(path, (struct text){head, (size_t)got});
}

bool content_proof(const char *path, const char *const *options, struct content_proof *out,
                   int *exit_code)
{
    /* Without O_NONBLOCK the open of a pipe that nobody writes to would never return. */
    OWN(fd_drop) int pack = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (pack < 0) {
        ctl_error("cannot read %s: %s", path, strerror(errno));
        *exit_code = CTL_FAULT;
        return false;
    }
    if (!look(path, pack)) {
        *exit_code = CTL_FAULT;
        return false;
    }
    return ask(pack, options, out, exit_code);
}

bool content_proof_bytes(struct text pack, const char *const *options, struct content_proof *out,
                         int *exit_code)
{
    OWN(fd_drop) int file = memfd_create("pack", MFD_CLOEXEC);
    struct status s =
        file < 0 ? (struct status){FAULT_SYSTEM, errno, STATUS_HERE} : file_write(file, pack);
    if (status_ok(s) && lseek(file, 0, SEEK_SET) != 0) {
        s = (struct status){FAULT_SYSTEM, errno, STATUS_HERE};
    }
    return status_ok(s) ? ask(file, options, out, exit_code)
                        : complain(exit_code, CTL_FAULT, "cannot hand the pack on", s);
}

static bool judge(const char *path, const struct content_proof *proof, int refused, int *exit_code)
{
    if (!proof->accepted) {
        ctl_error("%s was %s", path, proof->line);
        *exit_code = refused;
    }
    return proof->accepted;
}

bool content_accepted(const char *path, int refused, int *exit_code)
{
    struct content_proof proof = {0};
    return content_proof(path, NULL, &proof, exit_code) && judge(path, &proof, refused, exit_code);
}

bool content_accepted_bytes(const char *path, struct text pack, int refused, int *exit_code)
{
    struct content_proof proof = {0};
    return content_proof_bytes(pack, NULL, &proof, exit_code) &&
           judge(path, &proof, refused, exit_code);
}

/* Where only the command line was copied somewhere, there is no cage to be had, and people still
 * have to be able to look at a pack: they are told what it is that they rely on then. */
bool content_structure_bytes(const char *path, struct text pack)
{
    static const char *const options[] = {"--structure", NULL};
    char verifier[PROGRAM_PATH];
    struct content_proof proof = {0};
    int exit_code;
    if (program_find("bulkhead-verify", "verify", verifier).fault == FAULT_MISSING) {
        ctl_error("WARNING: there is no bulkhead-verify beside this program: %s is proven here, in "
                  "no cage and with your rights",
                  path);
        return true;
    }
    if (!content_proof_bytes(pack, options, &proof, &exit_code)) {
        return false;
    }
    if (!proof.accepted) {
        struct text why = text_of(proof.line);
        size_t skip = text_starts(why, TEXT("refused: ")) ? sizeof "refused: " - 1 : 0;
        ctl_error("%s is no pack that could run: %s", path, proof.line + skip);
    }
    return proof.accepted;
}
