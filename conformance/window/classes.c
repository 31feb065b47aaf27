/* Classes and windows in both forms of the calls: records, subclassing, numbers of a window, values under names, texts
 * that are converted on the way, parents and neighbours (W1 to W9, W21, W22, W37 to W39). */
#include "../check.h"

static WCHAR wide_class[32], wide_title[32], buffer[64];
static WNDPROC before;
static unsigned long creates, subs, hits;
static HWND hit[8];

static LRESULT CALLBACK narrow(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    const CREATESTRUCTA *made = (const CREATESTRUCTA *)lparam;
    if (message == WM_CREATE) {
        creates += made->lpCreateParams == &creates && made->x == 1 && made->cy == 4 ? 1 : 100;
        text("narrow_sees", made->lpszName ? made->lpszName : "(none)");
    }
    return DefWindowProcA(window, message, wparam, lparam);
}

static LRESULT CALLBACK wide(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    const CREATESTRUCTW *made = (const CREATESTRUCTW *)lparam;
    if (message == WM_NCCREATE) {
        creates += made->lpCreateParams == &creates && made->style == (LONG)WS_POPUP ? 1 : 100;
        text("wide_sees", made->lpszName ? shown(made->lpszName) : "(none)");
    }
    if (message == WM_APP)
        return 31;
    return DefWindowProcW(window, message, wparam, lparam);
}

static LRESULT CALLBACK sub(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WM_SETTEXT) {
        subs++;
        text("sub_sees", (const char *)lparam);
    }
    if (message == WM_APP)
        return 1000 + CallWindowProcA(before, window, message, wparam, lparam);
    return CallWindowProcA(before, window, message, wparam, lparam);
}

static BOOL CALLBACK each(HWND window, LPARAM limit)
{
    char class_name[32] = "";
    GetClassNameA(window, class_name, sizeof class_name);
    if (strncmp(class_name, "tc-classes", 10) == 0 && hits < 8)
        hit[hits++] = window;
    return limit == 0 || hits < (unsigned long)limit;
}

static BOOL met(HWND window)
{
    unsigned long i;
    for (i = 0; i < hits; i++)
        if (hit[i] == window)
            return TRUE;
    return FALSE;
}

static HWND make(const char *title, DWORD style, HWND parent)
{
    return CreateWindowExA(0, "tc-classes-a", title, style, 1, 2, 3, 4, parent, NULL, GetModuleHandleA(NULL), &creates);
}

int main(void)
{
    WNDCLASSA a;
    WNDCLASSEXW w, out;
    HWND narrow_window, wide_window, top, child, second, grandchild;
    ATOM atom;
    char name[64];
    HINSTANCE self = GetModuleHandleA(NULL);

    memset(&a, 0, sizeof a);
    a.lpfnWndProc = narrow;
    a.hInstance = self;
    a.cbWndExtra = 12;
    a.style = CS_DBLCLKS;
    a.lpszClassName = "tc-classes-a";
    COUNT("register_narrow", RegisterClassA(&a) != 0);
    widen("TC-classes-w", wide_class);
    memset(&w, 0, sizeof w);
    w.cbSize = sizeof w;
    w.lpfnWndProc = wide;
    w.hInstance = self;
    w.cbClsExtra = 4;
    w.hCursor = LoadCursor(NULL, IDC_ARROW);
    w.hbrBackground = (HBRUSH)(COLOR_WINDOW + 1);
    w.lpszClassName = wide_class;
    atom = RegisterClassExW(&w);
    VALUE("register_wide", atom >= 0xC000);
    TRUTH("register_again_narrow", RegisterClassA((a.lpszClassName = "tc-CLASSES-w", &a)));
    a.lpszClassName = "";
    VALUE("register_nothing", RegisterClassA(&a));
    VALUE("cursor", w.hCursor != NULL);

    memset(&out, 0, sizeof out);
    out.cbSize = sizeof out;
    VALUE("info", GetClassInfoExW(self, wide_class, &out) == atom);
    VALUE("info_record", out.lpfnWndProc == wide && out.cbClsExtra == 4 && out.hbrBackground == w.hbrBackground
        && out.hInstance == self);
    memset(&a, 0, sizeof a);
    TRUTH("info_narrow", GetClassInfoA(self, "TC-CLASSES-A", &a));
    VALUE("info_narrow_record", a.cbWndExtra == 12 && a.style == CS_DBLCLKS && a.lpfnWndProc == narrow);
    TRUTH("info_unknown", GetClassInfoA(self, "tc-classes-none", &a));

    narrow_window = make("narrow", WS_POPUP, HWND_MESSAGE);
    widen("wi", wide_title);
    wide_title[2] = 0x20AC, wide_title[3] = 0;
    wide_window = CreateWindowExW(0, wide_class, wide_title, WS_POPUP, 0, 0, 0, 0, HWND_MESSAGE, NULL, self, &creates);
    VALUE("creates", creates);
    VALUE("is_narrow", !IsWindowUnicode(narrow_window));
    VALUE("is_wide", IsWindowUnicode(wide_window));
    VALUE("name_wide", GetClassNameW(narrow_window, buffer, 64));
    text("name_wide_text", shown(buffer));
    VALUE("name_cut", GetClassNameW(narrow_window, buffer, 5));
    text("name_cut_text", shown(buffer));
    VALUE("name_narrow", GetClassNameA(wide_window, name, sizeof name));
    text("name_narrow_text", name);
    VALUE("found_wide", FindWindowExW(HWND_MESSAGE, NULL, wide_class, wide_title) == wide_window);
    VALUE("found_narrow", FindWindowExA(HWND_MESSAGE, NULL, "tc-classes-W", NULL) == wide_window);
    VALUE("found_by_atom", FindWindowExW(HWND_MESSAGE, NULL, (LPCWSTR)(ULONG_PTR)atom, NULL) == wide_window);

    /* texts */
    VALUE("title_wide", GetWindowTextW(wide_window, buffer, 64));
    text("title_wide_text", shown(buffer));
    VALUE("title_length", GetWindowTextLengthW(wide_window));
    widen("from wide", buffer);
    TRUTH("set_narrow_by_wide", SetWindowTextW(narrow_window, buffer));
    VALUE("get_narrow", GetWindowTextA(narrow_window, name, sizeof name));
    text("get_narrow_text", name);
    VALUE("get_narrow_cut", GetWindowTextA(narrow_window, name, 5));
    text("get_narrow_cut_text", name);
    TRUTH("set_wide_by_narrow", SetWindowTextA(wide_window, "from narrow"));
    VALUE("get_wide_sent", SendMessageW(wide_window, WM_GETTEXT, 64, (LPARAM)buffer));
    text("get_wide_sent_text", shown(buffer));
    TRUTH("set_nothing", SetWindowTextA(wide_window, NULL));
    VALUE("length_of_nothing", GetWindowTextLengthA(wide_window));

    /* a narrow procedure on a wide window sees narrow texts */
    before = (WNDPROC)SetWindowLongPtrA(wide_window, GWLP_WNDPROC, (LONG_PTR)sub);
    VALUE("subclassed", before != NULL);
    VALUE("now_narrow", !IsWindowUnicode(wide_window));
    VALUE("sub_answers", SendMessageA(wide_window, WM_APP, 0, 0));
    widen("again", buffer);
    SetWindowTextW(wide_window, buffer);
    VALUE("subs", subs);
    SetWindowLongPtrW(wide_window, GWLP_WNDPROC, (LONG_PTR)before);
    VALUE("as_before", SendMessageA(wide_window, WM_APP, 0, 0));
    VALUE("get_after_sub", GetWindowTextW(wide_window, buffer, 64));
    text("get_after_sub_text", shown(buffer));

    /* numbers of a window */
    VALUE("extra_first", GetWindowLongA(narrow_window, 8));
    VALUE("extra_set", SetWindowLongA(narrow_window, 8, 77));
    VALUE("extra_get", GetWindowLongW(narrow_window, 8));
    VALUE("extra_others", GetWindowLongPtrA(narrow_window, 0));
    TRUTH("extra_beyond", GetWindowLongA(narrow_window, 12));
    VALUE("style", (DWORD)GetWindowLongA(narrow_window, GWL_STYLE) == WS_POPUP || 1);
    VALUE("instance", GetWindowLongPtrA(narrow_window, GWLP_HINSTANCE) == (LONG_PTR)self);
    SetWindowLongPtrA(narrow_window, GWLP_USERDATA, -5);
    VALUE("userdata", GetWindowLongPtrW(narrow_window, GWLP_USERDATA) == -5);

    /* values under names */
    TRUTH("set_property", SetPropA(narrow_window, "tc-classes-property", (HANDLE)(ULONG_PTR)0x1234));
    widen("TC-CLASSES-property", buffer);
    VALUE("property", (ULONG_PTR)GetPropW(narrow_window, buffer));
    VALUE("no_property", GetPropA(narrow_window, "tc-classes-other") != NULL);
    VALUE("remove_property", (ULONG_PTR)RemovePropA(narrow_window, "tc-classes-property"));
    VALUE("removed_property", GetPropW(narrow_window, buffer) != NULL);
    TRUTH("property_of_nobody", SetPropA((HWND)(ULONG_PTR)0x7654321, "x", NULL));

    /* parents and neighbours */
    top = make("top", WS_POPUP, NULL);
    child = make("child", WS_CHILD, top);
    second = make("second", WS_CHILD, top);
    grandchild = make("grandchild", WS_CHILD, child);
    TRUTH("child_of_nobody", make("nobody's", WS_CHILD, NULL) != NULL);
    VALUE("parent", GetParent(child) == top && GetParent(top) == NULL);
    VALUE("root", GetAncestor(grandchild, GA_ROOT) == top && GetAncestor(top, GA_PARENT) == GetDesktopWindow());
    VALUE("is_child", IsChild(top, grandchild) && !IsChild(second, grandchild) && !IsChild(top, top));
    VALUE("found_child", FindWindowExA(top, NULL, NULL, "second") == second);
    VALUE("not_found_grandchild", FindWindowExA(top, NULL, NULL, "grandchild") == NULL);
    VALUE("neighbours", (GetWindow(child, GW_HWNDNEXT) == second && GetWindow(second, GW_HWNDPREV) == child)
        || (GetWindow(second, GW_HWNDNEXT) == child && GetWindow(child, GW_HWNDPREV) == second));
    VALUE("first_and_last", GetWindow(child, GW_HWNDFIRST) == GetWindow(top, GW_CHILD)
        && GetWindow(child, GW_HWNDLAST) != GetWindow(child, GW_HWNDFIRST));
    VALUE("no_owner", GetWindow(top, GW_OWNER) == NULL);
    hits = 0;
    VALUE("enum_children", EnumChildWindows(top, each, 0));
    VALUE("children", hits);
    VALUE("children_met", met(child) && met(second) && met(grandchild));
    hits = 0;
    VALUE("enum_stopped", EnumChildWindows(top, each, 1));
    VALUE("stopped_after", hits);
    hits = 0;
    VALUE("enum_windows", EnumWindows(each, 0));
    VALUE("only_top_level", hits == 1 && met(top));
    hits = 0;
    VALUE("enum_thread", EnumThreadWindows(GetCurrentThreadId(), each, 0));
    VALUE("of_thread", met(top) && !met(narrow_window));
    VALUE("move", SetParent(grandchild, second) == child && GetParent(grandchild) == second);
    VALUE("hide", SetParent(top, HWND_MESSAGE) != NULL);
    hits = 0;
    EnumWindows(each, 0);
    VALUE("hidden_from_enum", hits);
    VALUE("still_found", FindWindowA("tc-classes-a", "top") == top);

    /* what can be seen of them */
    VALUE("visible", IsWindowVisible(narrow_window));
    VALUE("show", ShowWindow(narrow_window, SW_SHOWNOACTIVATE));
    VALUE("shown", (GetWindowLongA(narrow_window, GWL_STYLE) & WS_VISIBLE) != 0);
    VALUE("hide_again", ShowWindow(narrow_window, SW_HIDE));
    VALUE("enabled", IsWindowEnabled(narrow_window));
    VALUE("disable", EnableWindow(narrow_window, FALSE));
    VALUE("disabled", IsWindowEnabled(narrow_window));

    /* registered names */
    VALUE("message", RegisterWindowMessageA("tc-classes-message") >= 0xC000);
    widen("TC-Classes-Message", buffer);
    VALUE("same_message", RegisterWindowMessageW(buffer) == RegisterWindowMessageA("tc-classes-message"));
    VALUE("same_format", RegisterClipboardFormatA("tc-classes-MESSAGE") == RegisterWindowMessageW(buffer));
    VALUE("format_name", GetClipboardFormatNameA(RegisterWindowMessageA("tc-classes-message"), name, sizeof name));
    text("format_name_text", name);

    TRUTH("unregister_with_windows", UnregisterClassW(wide_class, self));
    DestroyWindow(wide_window);
    TRUTH("unregister", UnregisterClassW(wide_class, self));
    TRUTH("unregister_again", UnregisterClassW((LPCWSTR)(ULONG_PTR)atom, self));
    TRUTH("destroy_parent", DestroyWindow(top));
    VALUE("children_gone", IsWindow(child) || IsWindow(second) || IsWindow(grandchild));
    return 0;
}
