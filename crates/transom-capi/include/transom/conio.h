/* conio.h: single keys from the terminal.
 *
 * Part of transom's C interface: the names of the C runtime's header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. When standard input is no
 * terminal its bytes are the keys, as getchar gives them, and its end is EOF.
 */
#ifndef TRANSOM_CONIO_H
#define TRANSOM_CONIO_H

#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* Waits for a key and gives it: at once, not when the line ends; _getche shows it. */
static __inline__ int transom_key(int echo)
{
    struct termios before, now;
    unsigned char key;
    ssize_t got;
    fflush(stdout);
    /* What the program reads from a pipe goes through one buffer. */
    if (tcgetattr(0, &before) != 0)
        return getchar();
    now = before;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &now);
    got = read(0, &key, 1);
    tcsetattr(0, TCSANOW, &before);
    if (got != 1)
        return EOF;
    if (echo) {
        putchar(key);
        fflush(stdout);
    }
    return key;
}

static __inline__ int _getch(void)
{
    return transom_key(0);
}

static __inline__ int _getche(void)
{
    return transom_key(1);
}

/* Whether a key, or with a terminal a whole line, waits to be read. */
static __inline__ int _kbhit(void)
{
    struct pollfd input;
    input.fd = 0;
    input.events = POLLIN;
    input.revents = 0;
    return poll(&input, 1, 0) == 1;
}

static __inline__ int _putch(int c)
{
    return putchar(c);
}

static __inline__ int _cputs(const char *text)
{
    return fputs(text, stdout) < 0 ? -1 : 0;
}

#define _cprintf printf
#define getch _getch
#define getche _getche
#define kbhit _kbhit
#define putch _putch

#endif
