// Boost's message_queue between two processes.
//
//     queue rt|msg|bytes BYTES polling|blocking CPU PARTNER-CPU
//
// Answers as transom-bench's workers do. The partner is a fork of the worker: it gets the number of operations
// through a pipe, and tells through another that it has received all.
#include <boost/interprocess/ipc/message_queue.hpp>

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <string>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "worker.h"

using boost::interprocess::create_only;
using boost::interprocess::message_queue;
using boost::interprocess::open_only;

namespace {

// Bytes that may wait in a queue.
const size_t ROOM = 1 << 20;

std::string names[2];
message_queue *out, *in;
std::vector<char> bytes, buffer;
bool round_trip, polling;
long left_to_send;
int done[2];

void pin(const char *cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fail("sched_setaffinity", errno);
}

void send(message_queue &queue)
{
    if (polling) {
        while (!queue.try_send(bytes.data(), bytes.size(), 0)) {
        }
    } else {
        queue.send(bytes.data(), bytes.size(), 0);
    }
}

void receive(message_queue &queue)
{
    message_queue::size_type received;
    unsigned priority;
    if (polling) {
        while (!queue.try_receive(buffer.data(), buffer.size(), received, priority)) {
        }
    } else {
        queue.receive(buffer.data(), buffer.size(), received, priority);
    }
    if (received != bytes.size())
        fail("receive", (long)received);
}

void partner(int requests)
{
    message_queue there(open_only, names[0].c_str()), back(open_only, names[1].c_str());
    long count;
    while (read(requests, &count, sizeof count) == sizeof count) {
        for (long i = 0; i < count; i++) {
            receive(there);
            if (round_trip)
                send(back);
        }
        if (!round_trip && write(done[1], "", 1) != 1)
            fail("write", errno);
    }
}

} // namespace

static double now(void)
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void operation(void)
{
    char byte;
    send(*out);
    if (round_trip)
        receive(*in);
    else if (--left_to_send == 0 && read(done[0], &byte, 1) != 1)
        fail("read", errno);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: queue rt|msg|bytes BYTES polling|blocking CPU PARTNER-CPU\n");
        return 2;
    }
    round_trip = strcmp(argv[1], "rt") == 0;
    polling = strcmp(argv[3], "polling") == 0;
    size_t size = strtoul(argv[2], NULL, 10);
    bytes.assign(size, 5);
    buffer.assign(size, 0);
    size_t room = ROOM / size < 4 ? 4 : ROOM / size > 1024 ? 1024 : ROOM / size;
    for (int i = 0; i < 2; i++)
        names[i] = "transom-bench-boost-" + std::to_string(getpid()) + (i ? "-back" : "-there");
    message_queue there(create_only, names[0].c_str(), room, size);
    message_queue back(create_only, names[1].c_str(), room, size);
    out = &there;
    in = &back;
    int requests[2];
    if (pipe(requests) != 0 || pipe(done) != 0)
        fail("pipe", errno);
    pid_t worker = getpid(), child = fork();
    if (child < 0)
        fail("fork", errno);
    pin(argv[child == 0 ? 5 : 4]);
    if (child == 0) {
        close(requests[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == worker)
            partner(requests[0]);
        _exit(0);
    }
    puts("ready");
    fflush(stdout);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        long count = atol(line);
        left_to_send = count;
        if (write(requests[1], &count, sizeof count) != sizeof count)
            fail("write", errno);
        if (!round_trip)
            answer_rows(count, STRETCHES, 0);
        else if (polling && size <= 1024)
            answer_rows(count, ROWS, 1);
        else
            answer_each(count);
    }
    kill(child, SIGKILL);
    message_queue::remove(names[0].c_str());
    message_queue::remove(names[1].c_str());
    return 0;
}
