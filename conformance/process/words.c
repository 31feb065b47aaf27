/* CommandLineToArgvW: how a command line is cut (R8 to R12). */
#include "../check.h"
#include <shellapi.h>

static void cut(const char *name, const char *line)
{
    WCHAR wide[256];
    char all[1024] = "";
    int count = -1, i;
    WCHAR **words;
    MADE(name, words, CommandLineToArgvW(widen(line, wide), &count));
    for (i = 0; words && i < count; i++) {
        strcat(all, "[");
        strcat(all, shown(words[i]));
        strcat(all, "]");
    }
    text(name, all);
    VALUE(name, LocalFree(words) == NULL);
}

int main(void)
{
    WCHAR empty[1] = { 0 };
    int count = -1;
    WCHAR **words;

    cut("plain", "prog one two");
    cut("quoted_program", "\"c:\\my app\\x.exe\" one");
    cut("quote_in_program", "a\"b c\"d e");
    cut("backslashes_in_program", "c:\\a\\\\b\\ next");
    cut("blank_first", " prog one");
    cut("blanks_and_tabs", "prog\t a \t b  ");
    cut("quoted_word", "prog \"a b\" c");
    cut("quotes_inside", "prog a\"b c\"d");
    cut("empty_word", "prog \"\" x");
    cut("escaped_quote", "prog a\\\"b");
    cut("two_backslashes", "prog a\\\\\"b c\"");
    cut("three_backslashes", "prog a\\\\\\\"b c");
    cut("trailing_backslashes", "prog a\\\\ b\\");
    cut("unclosed", "prog \"a b c");
    cut("shell_words", "prog 'a b' $x %y% * ?");

    MADE("empty_line", words, CommandLineToArgvW(empty, &count));
    VALUE("empty_line_words", count);
    VALUE("empty_line_is_a_path", words && words[0][0] != 0);
    VALUE("freed", LocalFree(words) == NULL);
    return 0;
}
