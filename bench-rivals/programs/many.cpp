// Boost's message_queue from many processes to one.
//
//     many to-one PROCESSES BYTES WINDOW CPU CPU-OF-THE-MANY
//
// Answers as transom-bench's workers do. The writers are forks of the worker, the reader: each gets the number of
// its messages through a pipe of its own.
#include <boost/interprocess/ipc/message_queue.hpp>

#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "worker.h"

using boost::interprocess::create_only;
using boost::interprocess::message_queue;
using boost::interprocess::open_only;

static void pin(const char *cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fail("sched_setaffinity", errno);
}

static double now(void)
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void operation(void)
{
}

static void write_all(const char *name, int requests, size_t size)
{
    message_queue queue(open_only, name);
    std::vector<char> bytes(size, 5);
    long count;
    while (read(requests, &count, sizeof count) == sizeof count)
        for (long i = 0; i < count; i++)
            queue.send(bytes.data(), bytes.size(), 0);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: many to-one PROCESSES BYTES WINDOW CPU CPU-OF-THE-MANY\n");
        return 2;
    }
    long many = atol(argv[2]);
    size_t size = strtoul(argv[3], NULL, 10), window = strtoul(argv[4], NULL, 10);
    std::string name = "transom-bench-boost-many-" + std::to_string(getpid());
    message_queue queue(create_only, name.c_str(), window, size);
    std::vector<int> requests;
    std::vector<pid_t> children;
    pid_t worker = getpid();
    for (long i = 0; i < many; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            fail("pipe", errno);
        pid_t child = fork();
        if (child < 0)
            fail("fork", errno);
        if (child == 0) {
            for (int other : requests)
                close(other);
            close(ends[1]);
            pin(argv[6]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == worker)
                write_all(name.c_str(), ends[0], size);
            _exit(0);
        }
        close(ends[0]);
        requests.push_back(ends[1]);
        children.push_back(child);
    }
    pin(argv[5]);
    (void)answer_each, (void)answer_rows, (void)operation;
    puts("ready");
    fflush(stdout);
    char line[64];
    std::vector<char> buffer(size);
    while (fgets(line, sizeof line, stdin)) {
        long each = atol(line) / many;
        if (each < 4000)
            each = 4000;
        double start = now();
        for (int to : requests)
            if (write(to, &each, sizeof each) != sizeof each)
                fail("write", errno);
        for (long left = each * many; left > 0; left--) {
            message_queue::size_type received;
            unsigned priority;
            queue.receive(buffer.data(), buffer.size(), received, priority);
            if (received != size)
                fail("receive", (long)received);
        }
        printf("row %ld %.0f\n", each * many, now() - start);
        fflush(stdout);
    }
    for (pid_t child : children)
        kill(child, SIGKILL);
    message_queue::remove(name.c_str());
    return 0;
}
