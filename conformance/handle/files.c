/* CreateFile's dispositions and rights, positions, transfers at an offset, attributes,
 * temporary files. Makes files in the current folder and removes them. */
#include "../check.h"

#define SHARED (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static HANDLE opened(const char *name, DWORD access, DWORD disposition, DWORD flags)
{
    return CreateFileA(name, access, SHARED, NULL, disposition, flags, NULL);
}

int main(void)
{
    static const char *const name = "tc-files.tmp";
    HANDLE file, copy, event;
    char buffer[64], path[MAX_PATH], folder[MAX_PATH];
    OVERLAPPED overlapped;
    LARGE_INTEGER position, size;
    LONG high;
    DWORD count = 77;
    UINT unique;

    DeleteFileA(name);
    OPENED("missing", file, opened(name, GENERIC_READ, OPEN_EXISTING, 0));
    OPENED("folder_missing", file, opened("tc-none\\x", GENERIC_READ, OPEN_EXISTING, 0));
    OPENED("truncate_missing", file, opened(name, GENERIC_WRITE, TRUNCATE_EXISTING, 0));
    OPENED("bad_disposition", file, opened(name, GENERIC_READ, 6, 0));
    OPENED("empty_name", file, opened("", GENERIC_READ, OPEN_EXISTING, 0));
    OPENED("new", file, opened(name, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, 0));
    OPENED("new_again", copy, opened(name, GENERIC_READ, CREATE_NEW, 0));
    SetLastError(0xBEEF);
    copy = opened(name, GENERIC_READ, OPEN_ALWAYS, 0);
    put("open_always", copy != INVALID_HANDLE_VALUE, GetLastError());
    CloseHandle(copy);

    TRUTH("write", WriteFile(file, "0123456789", 10, &count, NULL));
    VALUE("written", count);
    VALUE("position", SetFilePointer(file, 0, NULL, FILE_CURRENT));
    VALUE("back", SetFilePointer(file, -4, NULL, FILE_END));
    memset(buffer, 0, sizeof buffer);
    TRUTH("read", ReadFile(file, buffer, 32, &count, NULL));
    text("read", buffer);
    TRUTH("read_at_end", ReadFile(file, buffer, 32, &count, NULL));
    VALUE("read_at_end_count", count);
    SetLastError(0xBEEF);
    VALUE("before_start", SetFilePointer(file, -11, NULL, FILE_END));
    VALUE("before_start_error", GetLastError());
    SetLastError(0xBEEF);
    VALUE("bad_method", SetFilePointer(file, 0, NULL, 3));
    VALUE("bad_method_error", GetLastError());
    high = 1;
    VALUE("far", SetFilePointer(file, 5, &high, FILE_BEGIN));
    VALUE("far_high", high);
    position.QuadPart = -1;
    TRUTH("far_is_kept", SetFilePointerEx(file, position, &position, FILE_CURRENT));
    VALUE("far_back", position.QuadPart == 0x100000004LL);
    VALUE("size", GetFileSize(file, &count));
    VALUE("size_high", count);

    /* Two handles of one open file share the position, of two opens do not. */
    DuplicateHandle(GetCurrentProcess(), file, GetCurrentProcess(), &copy, GENERIC_READ, FALSE, 0);
    SetFilePointer(file, 3, NULL, FILE_BEGIN);
    VALUE("copy_position", SetFilePointer(copy, 0, NULL, FILE_CURRENT));
    TRUTH("copy_cannot_write", WriteFile(copy, "x", 1, &count, NULL));
    TRUTH("copy_cannot_cut", SetEndOfFile(copy));
    VALUE("copy_is_the_file", GetFileType(copy));
    CloseHandle(copy);
    TRUTH("cut", SetEndOfFile(file));
    TRUTH("size_ex", GetFileSizeEx(file, &size));
    VALUE("size_now", size.QuadPart);
    TRUTH("flush", FlushFileBuffers(file));

    event = CreateEventA(NULL, TRUE, TRUE, NULL);
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.Offset = 5;
    overlapped.hEvent = event;
    TRUTH("write_at", WriteFile(file, "vwxyz", 5, &count, &overlapped));
    TRUTH("write_at_result", GetOverlappedResult(file, &overlapped, &count, TRUE));
    VALUE("write_at_count", count);
    WAIT("write_at_event", WaitForSingleObject(event, 0));
    /* P48 */
    VALUE("write_at_status", overlapped.Internal);
    VALUE("write_at_moved", overlapped.InternalHigh);
    overlapped.Offset = 4;
    memset(buffer, 0, sizeof buffer);
    TRUTH("read_at", ReadFile(file, buffer, 4, NULL, &overlapped));
    VALUE("gap_is_zero", buffer[0]);
    text("read_at", buffer + 1);
    VALUE("position_behind", SetFilePointer(file, 0, NULL, FILE_CURRENT));
    overlapped.Offset = 10;
    TRUTH("read_at_end_of_file", ReadFile(file, buffer, 4, &count, &overlapped));
    TRUTH("read_at_end_of_file_result", GetOverlappedResult(file, &overlapped, &count, FALSE));
    CloseHandle(file);

    OPENED("append_only", file, opened(name, FILE_APPEND_DATA, OPEN_EXISTING, 0));
    TRUTH("append", WriteFile(file, "+", 1, &count, NULL));
    TRUTH("append_cannot_read", ReadFile(file, buffer, 1, &count, NULL));
    VALUE("appended", GetFileSize(file, NULL));
    CloseHandle(file);
    /* What every handle can do (H39). */
    OPENED("without_rights", file, opened(name, 0, OPEN_EXISTING, 0));
    VALUE("size_without_rights", GetFileSize(file, NULL));
    TRUTH("read_without_rights", ReadFile(file, buffer, 1, &count, NULL));
    CloseHandle(file);
    SetLastError(0xBEEF);
    file = opened(name, GENERIC_WRITE, CREATE_ALWAYS, 0);
    put("create_always", file != INVALID_HANDLE_VALUE, GetLastError());
    VALUE("emptied", GetFileSize(file, NULL));
    CloseHandle(file);

    VALUE("is_no_folder", GetFileAttributesA(name) & FILE_ATTRIBUTE_DIRECTORY);
    VALUE("is_folder", GetFileAttributesA(".") & FILE_ATTRIBUTE_DIRECTORY);
    VALUE("attributes_missing", GetFileAttributesA("tc-none"));
    VALUE("attributes_missing_error", GetLastError());
    OPENED("folder_as_file", file, opened(".", GENERIC_READ, OPEN_EXISTING, 0));
    OPENED("folder", file, opened(".", GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS));
    CloseHandle(file);
    TRUTH("delete_folder", DeleteFileA("."));
    TRUTH("make_folder", CreateDirectoryA("tc-folder", NULL));
    TRUTH("make_folder_again", CreateDirectoryA("tc-folder", NULL));
    TRUTH("make_folder_deep", CreateDirectoryA("tc-none\\deep", NULL));
    OPENED("file_in_folder", file, opened("tc-folder\\a", GENERIC_WRITE, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE));
    TRUTH("remove_full", RemoveDirectoryA("tc-folder"));
    TRUTH("close_and_delete", CloseHandle(file));
    VALUE("is_deleted", GetFileAttributesA("tc-folder/a"));
    TRUTH("remove", RemoveDirectoryA("tc-folder"));
    TRUTH("remove_again", RemoveDirectoryA("tc-folder"));
    TRUTH("remove_file", RemoveDirectoryA(name));
    TRUTH("delete", DeleteFileA(name));
    TRUTH("delete_again", DeleteFileA(name));

    OPENED("null_device", file, opened("NUL", GENERIC_WRITE, OPEN_EXISTING, 0));
    TRUTH("null_device_takes", WriteFile(file, "x", 1, &count, NULL));
    VALUE("null_device_type", GetFileType(file));
    CloseHandle(file);

    count = GetTempPathA(sizeof folder, folder);
    VALUE("temp_folder", count == strlen(folder) && (folder[count - 1] == '\\' || folder[count - 1] == '/'));
    VALUE("temp_folder_needs", GetTempPathA(1, folder) == count + 1);
    unique = GetTempFileNameA(".", "prefix", 0, path);
    VALUE("temp_file", unique > 0 && unique < 65536);
    VALUE("temp_file_is_there", GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES);
    VALUE("temp_file_prefix", strncmp(path + 2, "pre", 3) == 0 && strncmp(path + 2, "prefix", 6) != 0);
    TRUTH("temp_file_gone", DeleteFileA(path));
    VALUE("temp_name", GetTempFileNameA(".", "x", 0xAB, path));
    VALUE("temp_name_text", lstrcmpiA(path + 2, "xAB.tmp"));
    VALUE("temp_name_only", GetFileAttributesA(path));
    COUNT("temp_folder_missing", GetTempFileNameA("tc-none", "x", 0, path));
    return 0;
}
