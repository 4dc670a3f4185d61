#include "scan/post.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

struct status post_send(int socket, const struct talk_message *message, int fd)
{
    uint8_t packet[TALK_MAX];
    union control control = {0};
    struct writer w = writer_over(packet, sizeof packet);
    TRY(talk_write(message, &w));
    struct iovec part = {.iov_base = packet, .iov_len = w.used};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    }
    while (sendmsg(socket, &m, MSG_NOSIGNAL) < 0) {
        if (errno == EPIPE || errno == ECONNRESET) {
            FAIL(CLOSED);
        }
        if (errno != EINTR) {
            FAIL_SYS(errno);
        }
    }
    return OK;
}

/* The room is for one descriptor: the kernel closes what more a sender may attach. */
static int attached(struct msghdr *m)
{
    int fd = -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(m);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof fd)) {
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    }
    return fd;
}

struct status post_receive(int socket, enum talk_sender sender, struct post_packet *packet,
                           struct talk_message *out, int *out_fd)
{
    union control control = {0};
    struct iovec part = {.iov_base = packet->bytes, .iov_len = sizeof packet->bytes};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.room};
    ssize_t len;
    while ((len = recvmsg(socket, &m, MSG_CMSG_CLOEXEC)) < 0) {
        if (errno == ECONNRESET) {
            FAIL(CLOSED); /* it was killed with packets unread */
        }
        if (errno != EINTR) {
            FAIL_SYS(errno);
        }
    }
    OWN(fd_drop) int fd = attached(&m);
    if (len == 0) {
        FAIL(CLOSED);
    }
    if (m.msg_flags & MSG_TRUNC) {
        FAIL(LIMIT);
    }
    TRY(talk_read((struct text){.ptr = (const char *)packet->bytes, .len = (size_t)len}, sender,
                  out));
    if (out_fd) {
        *out_fd = fd_take(&fd);
    }
    return OK;
}
