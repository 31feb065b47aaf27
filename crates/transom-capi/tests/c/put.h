/* Output of the programs that print numbers of the headers: "name value", one per line, as
 * an unsigned decimal of 64 bits (negative numbers as their two's complement). The same
 * source is compiled against another implementation's headers, so nothing here may depend on
 * the width of long or on printf's length letters. */
#ifndef PUT_H
#define PUT_H

#include <stddef.h>
#include <stdio.h>

static void put(const char *name, unsigned long long value)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = 0;
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    printf("%s %s\n", name, at);
}

/* A number, under its own name. */
#define V(constant) put(#constant, (unsigned long long)(constant))
/* A number whose type is a pointer. */
#define P(constant) put(#constant, (unsigned long long)(size_t)(constant))
/* A type: its size, and whether it is signed. */
#define INTEGER(type) (put("sizeof(" #type ")", sizeof(type)), put("signed(" #type ")", (type)-1 < (type)1))
/* A type: its size. */
#define SIZE(type) put("sizeof(" #type ")", sizeof(type))
/* A member: where it lies, and its size. */
#define AT(type, member) (put("offsetof(" #type ", " #member ")", offsetof(type, member)), \
                          put("sizeof(" #type "." #member ")", sizeof(((type *)0)->member)))

#endif
