/* Environment blocks: the child has exactly what it is given (R17), by default a copy (R16);
 * the whole environment as a block; %NAME% in texts. */
#include "../check.h"

/* Adds NAME=value and a terminator to a block. */
static char *add(char *at, const char *entry)
{
    strcpy(at, entry);
    return at + strlen(entry) + 1;
}

static void variable(const char *label, const char *name)
{
    char value[200];
    DWORD length;
    SetLastError(0xBEEF);
    value[0] = 0;
    length = GetEnvironmentVariableA(name, value, sizeof value);
    /* A variable with an empty value is no failure and leaves the error alone. */
    put(label, length, length || GetLastError() == 0xBEEF ? 0 : GetLastError());
    text(label, value);
}

/* How many entries of the environment begin with TC_BLOCK. */
static int entries(void)
{
    LPCH block = GetEnvironmentStrings(), at;
    int count = 0;
    for (at = block; *at; at += strlen(at) + 1)
        count += strncmp(at, "TC_BLOCK", 8) == 0;
    VALUE("freed", FreeEnvironmentStringsA(block));
    return count;
}

static int child(const char *mode)
{
    char label[40];
    sprintf(label, "%s_one", mode);
    variable(label, "TC_BLOCK_ONE");
    sprintf(label, "%s_two", mode);
    variable(label, "tc_block_TWO");
    sprintf(label, "%s_empty", mode);
    variable(label, "TC_BLOCK_EMPTY");
    sprintf(label, "%s_own", mode);
    variable(label, "TC_BLOCK_OWN");
    return 10 + entries();
}

int main(int argc, char **argv)
{
    char block[1000], *at, *paths[] = { "PATH", "SystemRoot", "SystemDrive", "TRANSOM_DIR", "LD_LIBRARY_PATH", "WINEPREFIX" };
    WCHAR wide[1000], *end;
    char found[500], buffer[100];
    PROCESS_INFORMATION made;
    unsigned long code;
    unsigned i;
    BOOL started;

    if (argc > 1)
        return child(argv[1]);

    /* A child prints before its parent does. */
    SetEnvironmentVariableA("TC_BLOCK_OWN", "of the parent");
    started = again("copy", FALSE, 0, NULL, NULL, &made);
    code = ended(&made);
    put("copy_started", started, 0);
    VALUE("copy_code", code);

    /* Besides the entries of the test what a program needs to start at all. */
    at = block;
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (GetEnvironmentVariableA(paths[i], found, sizeof found)) {
            sprintf(at, "%s=", paths[i]);
            at = add(at + strlen(at), found);
        }
    }
    at = add(at, "TC_BLOCK_EMPTY=");
    at = add(at, "TC_BLOCK_ONE=first = one");
    at = add(at, "Tc_Block_Two=2");
    *at++ = 0;
    started = again("narrow", FALSE, 0, NULL, block, &made);
    code = ended(&made);
    put("narrow_started", started, 0);
    VALUE("narrow_code", code);

    end = wide;
    for (i = 0; i < (unsigned)(at - block); i++)
        *end++ = (WCHAR)(unsigned char)block[i];
    started = again("wide", FALSE, CREATE_UNICODE_ENVIRONMENT, NULL, wide, &made);
    code = ended(&made);
    put("wide_started", started, 0);
    VALUE("wide_code", code);
    variable("parent_keeps_its_own", "TC_BLOCK_OWN");
    variable("parent_sees_none_of_it", "TC_BLOCK_ONE");

    SetEnvironmentVariableA("TC_BLOCK_X", "value");
    VALUE("expand_size", ExpandEnvironmentStringsA("<%tc_block_x%>", buffer, sizeof buffer));
    text("expand", buffer);
    VALUE("expand_needs", ExpandEnvironmentStringsA("<%TC_BLOCK_X%>", NULL, 0));
    VALUE("expand_small", ExpandEnvironmentStringsA("<%TC_BLOCK_X%>", found, 3));
    ExpandEnvironmentStringsA("%TC_NOT_THERE% 100% %%", buffer, sizeof buffer);
    text("expand_unknown", buffer);
    return 0;
}
