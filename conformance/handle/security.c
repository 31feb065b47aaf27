/* Security descriptors: filled by hand and made of SDDL; what they do to the rights of those
 * who open a name (M41). All as the same user. */
#include "../check.h"
#include <sddl.h>

static HANDLE event_of(const char *label, const char *sddl, const char *name)
{
    SECURITY_ATTRIBUTES attributes = { sizeof attributes, NULL, FALSE };
    PSECURITY_DESCRIPTOR descriptor = NULL;
    HANDLE event;
    ULONG size = 0;
    TRUTH(label, ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &descriptor, &size));
    VALUE(label, size > 0);
    attributes.lpSecurityDescriptor = descriptor;
    CREATED(label, event, CreateEventA(&attributes, TRUE, FALSE, name));
    VALUE(label, LocalFree(descriptor) == NULL);
    return event;
}

int main(void)
{
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = { sizeof attributes, &descriptor, FALSE };
    PSECURITY_DESCRIPTOR made = NULL;
    HANDLE event, other;
    char name[64];
    WCHAR wide[64];

    TRUTH("revision_2", InitializeSecurityDescriptor(&descriptor, 2));
    memset(&descriptor, 0xCC, sizeof descriptor);
    TRUTH("initialize", InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION));
    TRUTH("null_list", SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE));
    CREATED("for_everyone", event, CreateEventA(&attributes, TRUE, FALSE, named(name, "tc-sec-a")));
    MADE("opened", other, OpenEventA(EVENT_ALL_ACCESS, FALSE, name));
    TRUTH("usable", SetEvent(other));
    TRUTH("no_list", SetSecurityDescriptorDacl(&descriptor, FALSE, NULL, FALSE));
    CREATED("by_default", event, CreateEventA(&attributes, TRUE, FALSE, named(name, "tc-sec-b")));
    MADE("owner_may", other, OpenEventA(EVENT_ALL_ACCESS, FALSE, name));
    memset(&descriptor, 0, sizeof descriptor);
    TRUTH("not_initialized", SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE));

    event = event_of("everything", "D:(A;;GA;;;WD)", named(name, "tc-sec-c"));
    MADE("everything_opened", other, OpenEventA(EVENT_ALL_ACCESS, FALSE, name));
    /* SYNCHRONIZE | EVENT_MODIFY_STATE for everyone, nothing else for anyone. */
    event = event_of("wait_and_set", "D:(A;;0x100002;;;WD)", named(name, "tc-sec-d"));
    MADE("wait_and_set_opened", other, OpenEventA(SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, name));
    TRUTH("wait_and_set_set", SetEvent(other));
    TRUTH("creator_may_reset", ResetEvent(event));
    event = event_of("only_wait", "D:(A;;0x100000;;;WD)", named(name, "tc-sec-e"));
    MADE("only_wait_opened", other, OpenEventA(SYNCHRONIZE, FALSE, name));
    TRUTH("only_wait_set", SetEvent(other));
    MADE("only_wait_no_more", other, OpenEventA(EVENT_MODIFY_STATE, FALSE, name));
    CREATED("only_wait_created_again", other, CreateEventA(NULL, TRUE, FALSE, name));
    event = event_of("nobody", "D:", named(name, "tc-sec-f"));
    TRUTH("nobody_but_the_creator", SetEvent(event));
    MADE("nobody_opens", other, OpenEventA(SYNCHRONIZE, FALSE, name));

    TRUTH("wide", ConvertStringSecurityDescriptorToSecurityDescriptorW(widen("D:(A;;GA;;;WD)", wide), 1, &made, NULL));
    TRUTH("set_in_text_form", SetSecurityDescriptorDacl(made, TRUE, NULL, FALSE));
    LocalFree(made);
    TRUTH("bad_text", ConvertStringSecurityDescriptorToSecurityDescriptorA("no sddl", 1, &made, NULL));
    TRUTH("bad_revision", ConvertStringSecurityDescriptorToSecurityDescriptorA("D:", 2, &made, NULL));
    return 0;
}
