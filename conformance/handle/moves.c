/* Files as wholes (copying, moving, attributes), and locks on parts of them. */
#include "../check.h"

static HANDLE open_file(const char *name, DWORD disposition)
{
    return CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, disposition,
        FILE_ATTRIBUTE_NORMAL, NULL);
}

static void make(const char *name, const char *content)
{
    DWORD count;
    HANDLE file = open_file(name, CREATE_ALWAYS);
    WriteFile(file, content, (DWORD)strlen(content), &count, NULL);
    CloseHandle(file);
}

static void show(const char *label, const char *name)
{
    char content[64];
    DWORD count = 0;
    HANDLE file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        put(label, 0, GetLastError());
        return;
    }
    ReadFile(file, content, sizeof content - 1, &count, NULL);
    content[count] = 0;
    CloseHandle(file);
    text(label, content);
}

static BOOL lock_ex(HANDLE file, DWORD flags, DWORD at, DWORD length)
{
    OVERLAPPED place;
    memset(&place, 0, sizeof place);
    place.Offset = at;
    return LockFileEx(file, flags, 0, length, 0, &place);
}

static int child(const char *at)
{
    HANDLE file = open_file("locked.dat", OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE)
        return 90;
    return lock_ex(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, (DWORD)atoi(at), 5) ? 1
        : (int)GetLastError();
}

int main(int argc, char **argv)
{
    WCHAR from[32], to[32];
    HANDLE one, two;

    if (argc > 1)
        return child(argv[1]);

    make("a.txt", "first");
    TRUTH("copy", CopyFileA("a.txt", "b.txt", TRUE));
    show("copied", "b.txt");
    make("a.txt", "second");
    TRUTH("copy_onto", CopyFileA("a.txt", "b.txt", TRUE));
    show("not_copied", "b.txt");
    TRUTH("copy_over", CopyFileA("a.txt", "b.txt", FALSE));
    show("copied_over", "b.txt");
    TRUTH("copy_nothing", CopyFileA("no.txt", "c.txt", FALSE));
    TRUTH("copy_to_nowhere", CopyFileA("a.txt", "no\\c.txt", FALSE));
    TRUTH("copy_wide", CopyFileW(widen("a.txt", from), widen("c.txt", to), TRUE));

    TRUTH("move", MoveFileA("c.txt", "d.txt"));
    show("moved", "d.txt");
    show("moved_away", "c.txt");
    TRUTH("move_onto", MoveFileA("d.txt", "b.txt"));
    TRUTH("move_over", MoveFileExA("d.txt", "b.txt", MOVEFILE_REPLACE_EXISTING));
    TRUTH("move_nothing", MoveFileA("no.txt", "e.txt"));
    TRUTH("move_to_nowhere", MoveFileA("b.txt", "no\\e.txt"));
    TRUTH("move_wide", MoveFileExW(widen("b.txt", from), widen("e.txt", to), 0));
    TRUTH("make_folder", CreateDirectoryA("folder", NULL));
    TRUTH("move_folder", MoveFileA("folder", "other"));
    TRUTH("folder_is_there", GetFileAttributesA("other") == FILE_ATTRIBUTE_DIRECTORY);
    TRUTH("remove_folder", RemoveDirectoryA("other"));

    TRUTH("make_read_only", SetFileAttributesA("e.txt", FILE_ATTRIBUTE_READONLY));
    VALUE("is_read_only", GetFileAttributesA("e.txt") & FILE_ATTRIBUTE_READONLY);
    TRUTH("make_normal", SetFileAttributesA("e.txt", FILE_ATTRIBUTE_NORMAL));
    VALUE("is_not_read_only", GetFileAttributesA("e.txt") & FILE_ATTRIBUTE_READONLY);
    TRUTH("attributes_of_nothing", SetFileAttributesA("no.txt", FILE_ATTRIBUTE_NORMAL));

    /* Locks keep other locks out, in this process through another handle and in others. */
    make("locked.dat", "0123456789");
    one = open_file("locked.dat", OPEN_EXISTING);
    two = open_file("locked.dat", OPEN_EXISTING);
    TRUTH("lock", LockFile(one, 0, 0, 5, 0));
    TRUTH("lock_again", LockFile(two, 4, 0, 5, 0));
    TRUTH("lock_behind", LockFile(two, 5, 0, 5, 0));
    VALUE("others_are_kept_out", run("0", FALSE));
    TRUTH("unlock", UnlockFile(one, 0, 0, 5, 0));
    VALUE("others_may_now", run("0", FALSE));
    CloseHandle(two);
    VALUE("a_lock_ends_with_its_handle", run("5", FALSE));
    two = open_file("locked.dat", OPEN_EXISTING);
    TRUTH("share", lock_ex(one, LOCKFILE_FAIL_IMMEDIATELY, 0, 5));
    TRUTH("share_too", lock_ex(two, LOCKFILE_FAIL_IMMEDIATELY, 0, 5));
    VALUE("nobody_alone", run("0", FALSE));
    TRUTH("lock_nothing", LockFile(NULL, 0, 0, 5, 0));
    CloseHandle(one);
    CloseHandle(two);

    TRUTH("delete_a", DeleteFileA("a.txt"));
    TRUTH("delete_e", DeleteFileA("e.txt"));
    TRUTH("delete_locked", DeleteFileA("locked.dat"));
    return 0;
}
