/* What transom-bench's workers answer, for C and C++: see "What a worker measures" in
 * crates/transom-bench/src/sample.rs. The program defines now(), in nanoseconds, and operation(), which does
 * one thing and ends the program with fail() if it cannot. */
#ifndef WORKER_H
#define WORKER_H

#include <stdio.h>
#include <stdlib.h>

static double now(void);
static void operation(void);

/* How many rows are made at most: short ones, and long ones for what flows and stops now and then. */
static const long ROWS = 400, STRETCHES = 16, SINGLES = 20000;

static void fail(const char *what, long code)
{
    printf("error %s failed with %ld\n", what, code);
    fflush(stdout);
    exit(1);
}

static void timed(long rows, long operations)
{
    double *times = (double *)malloc((rows > 0 ? rows : 1) * sizeof *times);
    long i, j;
    if (!times)
        fail("malloc", 0);
    for (i = 0; i < rows; i++) {
        double start = now();
        for (j = 0; j < operations; j++)
            operation();
        times[i] = now() - start;
    }
    for (i = 0; i < rows; i++)
        printf(" %.0f", times[i]);
    free(times);
}

/* Times `count` operations one by one. */
static void answer_each(long count)
{
    printf("each");
    timed(count, 1);
    printf("\n");
    fflush(stdout);
}

/* Times `count` operations in at most `most` rows; if `tail`, a part of them one by one. */
static void answer_rows(long count, long most, int tail)
{
    long singles = !tail ? 0 : count / 4 < SINGLES ? count / 4 : SINGLES;
    long rows = count - singles < most ? count - singles : most;
    long operations = rows > 0 ? (count - singles) / rows : 0, i;
    for (i = rows * operations; i < count - singles; i++)
        operation();
    printf("row %ld", operations);
    timed(rows, operations);
    if (singles > 0) {
        printf(" each");
        timed(singles, 1);
    }
    printf("\n");
    fflush(stdout);
}

#endif
