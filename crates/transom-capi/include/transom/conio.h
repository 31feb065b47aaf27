/* conio.h: a key from the terminal, as samples for Windows wait for one at their end.
 *
 * Part of transom's C interface: the names of the C library for Windows, for programs on
 * Linux. A name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_CONIO_H
#define TRANSOM_CONIO_H

#include <stdio.h>

/* The next character of the standard input, which a terminal gives after a line only; -1 at the
 * end. _getche and _putch are getchar and putchar under their old names. */
static __inline__ int _getch(void)
{
    fflush(stdout);
    return getchar();
}

static __inline__ int _getche(void)
{
    fflush(stdout);
    return getchar();
}

static __inline__ int _putch(int c)
{
    return putchar(c);
}

#endif
