// Finding out what Xen gave us.
#include "xen.h"

#define CALL_SET_SHARED_INFO 0x600

struct start_info *start_info;

void xen_start(void) {
    if (!on_xen) return;
    firmware_hypercall(CALL_SET_SHARED_INFO, XSI_BASE);
    start_info = at_physical(shared->start_info_frame << PAGE_SHIFT);
}

int is_dom0(void) { return start_info && (start_info->flags & SIF_INITDOMAIN); }
