/* UTF-8 and UTF-16, plain string calls, texts of errors, blocks of memory. */
#include "../check.h"

static void bytes(const char *label, const char *from, int count)
{
    char all[256] = "";
    int i;
    for (i = 0; i < count; i++)
        sprintf(all + strlen(all), "%02X", (unsigned char)from[i]);
    text(label, all);
}

int main(void)
{
    /* "a", e acute, euro, a crab in two halves. */
    static const char utf8[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA6\x80";
    static const WCHAR lone[] = { 'x', 0xD800, 'y', 0 };
    WCHAR wide[64];
    char narrow[64], *allocated = NULL;
    WCHAR *wide_allocated = NULL;
    HGLOBAL block;
    char *at;
    DWORD length;

    VALUE("to_wide_needs", MultiByteToWideChar(CP_UTF8, 0, utf8, -1, NULL, 0));
    COUNT("to_wide", MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, 64));
    text("to_wide", shown(wide));
    VALUE("to_wide_part", MultiByteToWideChar(CP_UTF8, 0, utf8, 3, wide, 64));
    COUNT("to_wide_small", MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, 3));
    COUNT("to_wide_nothing", MultiByteToWideChar(CP_UTF8, 0, utf8, 0, wide, 3));
    COUNT("to_wide_null", MultiByteToWideChar(CP_UTF8, 0, NULL, -1, wide, 3));
    COUNT("to_wide_strange_page", MultiByteToWideChar(12345, 0, utf8, -1, wide, 64));
    COUNT("to_wide_broken", MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "a\xFF", -1, wide, 64));
    VALUE("to_wide_replaced", MultiByteToWideChar(CP_UTF8, 0, "a\xFF" "b", -1, wide, 64));
    text("to_wide_replaced", shown(wide));
    MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, 64);
    COUNT("to_narrow", WideCharToMultiByte(CP_UTF8, 0, wide, -1, narrow, 64, NULL, NULL));
    VALUE("there_and_back", strcmp(narrow, utf8));
    VALUE("to_narrow_needs", WideCharToMultiByte(CP_UTF8, 0, wide, 3, NULL, 0, NULL, NULL));
    COUNT("to_narrow_lone", WideCharToMultiByte(CP_UTF8, 0, lone, -1, narrow, 64, NULL, NULL));
    bytes("to_narrow_lone", narrow, 6);
    COUNT("to_narrow_strict", WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, lone, -1, narrow, 64, NULL, NULL));
    COUNT("to_narrow_default", WideCharToMultiByte(CP_UTF8, 0, wide, -1, narrow, 64, "?", NULL));

    VALUE("length", lstrlenA("four"));
    VALUE("length_wide", lstrlenW(wide));
    VALUE("length_null", lstrlenA(NULL));
    VALUE("copy", lstrcpyA(narrow, "copied") == narrow);
    lstrcatA(narrow, " more");
    text("append", narrow);
    lstrcpynA(narrow, "cut here", 4);
    text("bounded", narrow);
    VALUE("equal", lstrcmpA("same", "same"));
    VALUE("less", lstrcmpA("a", "b") < 0);
    VALUE("without_case", lstrcmpiA("MiXed", "mIxED"));
    lstrcpyW(wide, widen("wide", (WCHAR *)narrow));
    VALUE("copy_wide", lstrcmpW(wide, (WCHAR *)narrow));

    length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, ERROR_FILE_NOT_FOUND, 0,
        narrow, sizeof narrow, NULL);
    VALUE("message", length > 10 && length == strlen(narrow));
    text("message_ends", strcmp(narrow + length - 3, ".\r\n") == 0 ? "in a full stop and a line break" : narrow);
    length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL, ERROR_ACCESS_DENIED, 0,
        narrow, sizeof narrow, NULL);
    VALUE("message_in_one_line", length > 0 && strchr(narrow, '\n') == NULL);
    COUNT("message_small", FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_FILE_NOT_FOUND, 0, narrow, 4, NULL));
    COUNT("message_unknown", FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0x2FFFFFFF, 0, narrow, 64, NULL));
    COUNT("message_from_nowhere", FormatMessageA(0, NULL, 2, 0, narrow, 64, NULL));
    COUNT("message_from_text", FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "plain text", 0, 0, narrow, 64, NULL));
    text("message_from_text", narrow);
    length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_INVALID_HANDLE, 0,
        (char *)&allocated, 0, NULL);
    VALUE("message_allocated", length > 0 && allocated && strlen(allocated) == length);
    VALUE("message_freed", LocalFree(allocated) == NULL);
    length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_INVALID_HANDLE, 0,
        (WCHAR *)&wide_allocated, 0, NULL);
    VALUE("message_allocated_wide", length > 0 && wide_allocated && lstrlenW(wide_allocated) == (int)length);
    VALUE("message_freed_wide", LocalFree(wide_allocated) == NULL);

    MADE("moveable", block, GlobalAlloc(GMEM_MOVEABLE | GMEM_ZEROINIT, 50));
    MADE("locked", at, (char *)GlobalLock(block));
    VALUE("zeroed", at[49]);
    TRUTH("unlocked", GlobalUnlock(block) || GetLastError() == NO_ERROR);
    VALUE("size", GlobalSize(block) >= 50);
    block = GlobalReAlloc(block, 5000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    VALUE("larger", block != NULL && GlobalSize(block) >= 5000);
    VALUE("freed", GlobalFree(block) == NULL);
    MADE("local", at, (char *)LocalAlloc(LPTR, 10));
    VALUE("local_zeroed", at[9]);
    VALUE("local_freed", LocalFree(at) == NULL);
    MADE("heap", at, (char *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 10));
    VALUE("heap_size", HeapSize(GetProcessHeap(), 0, at));
    at = (char *)HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, at, 1000);
    VALUE("heap_larger", at && at[999] == 0 && HeapSize(GetProcessHeap(), 0, at) == 1000);
    TRUTH("heap_freed", HeapFree(GetProcessHeap(), 0, at));
    return 0;
}
