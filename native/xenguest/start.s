// The start of a processor, up to its C code. The first is entered as Linux/ia64 is: physical (on Xen: metaphysical) mode, interrupts off,
// r28 = boot parameters. The others come from SAL, with r1 as SAL_SET_VECTORS was told. The privileged instructions here are real ones:
// Xen emulates them.

        .include "layout.inc"

        .text
        .global _start
        .proc _start
_start:
        rsm psr.i | psr.ic
        mov ar.rsc = 0
        ;;
        srlz.i
        ;;
        loadrs                          // nothing that firmware left in the register stack is wanted
        ;;
        mov r2 = ar.rsc
        movl r3 = boot_parameters - REGION7
        movl r4 = first_area - REGION7
        movl r14 = on_xen - REGION7
        ;;
        // The level that a kernel writes there is 0. It reads back as the level at which it runs: not 0 on Xen.
        extr.u r2 = r2, 2, 2
        st8 [r3] = r28
        ;;
        st8 [r14] = r2
        movl r5 = first_processor
        br.sptk.many enter
        .endp _start

// What SAL starts the other processors at: finds its area by its local identifier.
        .global other_start
        .proc other_start
other_start:
        rsm psr.i | psr.ic
        mov ar.rsc = 0
        ;;
        srlz.i
        ;;
        loadrs
        ;;
        mov r2 = cr.lid
        movl r3 = area_of_lid - REGION7
        ;;
        extr.u r2 = r2, 24, 8
        ;;
        shladd r3 = r2, 3, r3
        ;;
        ld8 r4 = [r3]
        movl r5 = other_processor
        ;;
        dep r4 = 0, r4, 61, 3
        ;;
        .endp other_start

// r4 = physical address of the processor's area, r5 = the function to call in virtual mode.
        .proc enter
enter:
        mov r2 = 0
        mov r6 = 8
        ;;
        // All regions: an identifier of their own, pages of 16 KiB, no VHPT walker.
region: shl r3 = r2, 61
        shl r14 = r2, 8
        ;;
        movl r15 = 0x10000 | PAGE << 2
        add r2 = 1, r2
        ;;
        or r14 = r14, r15
        ;;
        mov rr[r3] = r14
        cmp.ltu p6, p0 = r2, r6
        ;;
        srlz.i
(p6)    br.cond.sptk.few region
        ;;

        // The kernel, and the processor's own area: what is used while interruptions are not collected must not miss.
        movl r2 = REGION7 | IMAGE
        mov r3 = IMAGE_PAGE << 2
        movl r14 = IMAGE | PTE_WB | PTE_ED
        mov r15 = 0
        ;;
        mov cr.ifa = r2
        mov cr.itir = r3
        ;;
        itr.i itr[r15] = r14
        ;;
        itr.d dtr[r15] = r14
        ;;
        srlz.i
        movl r2 = REGION7
        ;;
        or r4 = r4, r2
        movl r3 = first_area
        movl r14 = PTE_WB
        ;;
        cmp.eq p6, p0 = r3, r4
        dep r15 = 0, r4, 61, 3
        mov r16 = AREA_PAGE << 2
        ;;
        or r14 = r14, r15
        mov r17 = 1
(p6)    br.cond.sptk.few mapped
        ;;
        mov cr.ifa = r4
        mov cr.itir = r16
        ;;
        itr.d dtr[r17] = r14
        ;;
        srlz.i
        ;;
mapped:
        movl r3 = vectors
        movl r14 = DCR
        movl r15 = FPSR_DEFAULT
        add r16 = AREA_RSE, r4
        ;;
        mov cr.iva = r3
        mov cr.dcr = r14
        mov ar.fpsr = r15
        mov ar.bspstore = r16
        ;;
        srlz.i
        movl r2 = PSR_IC | PSR_DT | PSR_RT | PSR_IT | PSR_BN
        movl r3 = virtual_start
        movl r14 = 1 << 63
        ;;
        mov cr.ipsr = r2
        mov cr.iip = r3
        mov cr.ifs = r14                // an empty frame
        ;;
        rfi
        ;;
virtual_start:
        mov ar.rsc = 3                  // eager, little-endian
        movl r1 = __gp
        movl r2 = AREA_END - 16
        mov r13 = r4                    // C's thread pointer: struct cpu
        ;;
        add r12 = r2, r4
        mov b6 = r5
        ;;
        br.call.sptk.many b0 = b6
        ;;
stay:   br.sptk.many stay
        .endp enter

// physical_call(entry, gp, argument 0, 1, 2, 3): calls a firmware function in physical mode, interrupts off. C's stack is used as it
// is; the register stack gets memory of its own, so that nothing of it is seen at two kinds of address.
        .global physical_call
        .proc physical_call
physical_call:
        alloc loc0 = ar.pfs, 6, 8, 4, 0
        mov loc1 = b0
        mov loc2 = r1
        mov loc3 = r12
        movl r2 = physical_go - REGION7
        mov b6 = in0
        ;;
        mov out0 = in2
        mov out1 = in3
        mov out2 = in4
        mov out3 = in5
        mov r1 = in1
        dep r12 = 0, r12, 61, 3
        movl r3 = PSR_BN
        ;;
        add r12 = -32, r12
        rsm psr.ic
        mov ar.rsc = 0
        ;;
        srlz.i
        flushrs
        ;;
        mov loc4 = ar.bspstore
        mov loc5 = ar.rnat
        movl r14 = physical_register_stack - REGION7
        ;;
        mov ar.bspstore = r14
        mov cr.ipsr = r3
        mov cr.iip = r2
        mov cr.ifs = r0
        ;;
        rfi
        ;;
physical_go:
        mov ar.rsc = 3
        br.call.sptk.many b0 = b6
        ;;
        rsm psr.ic
        mov ar.rsc = 0
        movl r2 = physical_back
        movl r3 = PSR_IC | PSR_DT | PSR_RT | PSR_IT | PSR_BN
        ;;
        srlz.i
        flushrs
        ;;
        mov cr.ipsr = r3
        mov cr.iip = r2
        mov cr.ifs = r0
        ;;
        rfi
        ;;
physical_back:
        mov ar.bspstore = loc4
        ;;
        mov ar.rnat = loc5
        ;;
        mov ar.rsc = 3
        mov r1 = loc2
        mov r12 = loc3
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp physical_call

        .bss
        .align 8
        .global boot_parameters, on_xen, area_of_lid
boot_parameters: .skip 8
on_xen:          .skip 8
area_of_lid:     .skip 8 * 256
        .align 16
physical_register_stack: .skip 0x2000
