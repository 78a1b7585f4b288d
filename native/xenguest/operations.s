// Privileged operations, by instruction and by hyperprivop (hyperprivops take r8 to r11 and r14, and give r8): the two sides of struct
// operations in processor.c. And the ways into Xen and the firmware.

        .include "layout.inc"

        .text
        .macro function name, arguments=0
        .global \name
        .proc \name
\name:  alloc r31 = ar.pfs, \arguments, 0, 0, 0
        .endm
        .macro leave name
        ;;
        br.ret.sptk.many b0
        .endp \name
        .endm

// hyperprivop NAME, NUMBER, ARGUMENTS: arguments go to r8, r9.
        .macro hyperprivop name, number, arguments=0
        function \name, \arguments
        .ifge \arguments - 1
        mov r8 = in0
        .endif
        .ifge \arguments - 2
        mov r9 = in1
        .endif
        ;;
        break.m \number
        leave \name
        .endm

        hyperprivop xen_get_ivr, 0x08
        hyperprivop xen_get_tpr, 0x09
        hyperprivop xen_set_tpr, 0x0a, 1
        hyperprivop xen_eoi, 0x0b
        hyperprivop xen_set_itm, 0x0c, 1
        hyperprivop xen_thash, 0x0d, 1
        hyperprivop xen_ptc_ga, 0x0e, 2
        hyperprivop xen_get_rr, 0x10, 1
        hyperprivop xen_set_rr, 0x11, 2
        hyperprivop xen_set_kr, 0x12, 2
        hyperprivop xen_fc, 0x13, 1
        hyperprivop xen_get_cpuid, 0x14, 1
        hyperprivop xen_get_pmd, 0x15, 1
        hyperprivop xen_get_eflag, 0x16
        hyperprivop xen_set_eflag, 0x17, 1
        hyperprivop xen_rsm_be, 0x18
        hyperprivop xen_get_psr, 0x19
        hyperprivop xen_ssm_i, 0x07
        hyperprivop xen_rsm_dt, 0x02
        hyperprivop xen_ssm_dt, 0x03

// hyperprivop_with(number, r8, r9): hyperprivop 1 to 0x1c.
        function hyperprivop_with, 3
        movl r14 = hyperprivop_table
        add r15 = -1, in0
        ;;
        shladd r15 = r15, 4, r0
        mov r8 = in1
        mov r9 = in2
        ;;
        shladd r14 = r15, 1, r14
        ;;
        mov b6 = r14
        ;;
        br.sptk.many b6
        .align 32
hyperprivop_table:
        .irp number, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c
        { .mii
        break.m \number
        nop.i 0
        nop.i 0 ;;
        }
        { .mib
        nop.m 0
        nop.i 0
        br.ret.sptk.many b0 ;;
        }
        .endr
        .endp hyperprivop_with

// xen_set_five_rr(rr0, rr1, rr2, rr3, rr4)
        function xen_set_five_rr, 5
        mov r8 = in0
        mov r9 = in1
        mov r10 = in2
        mov r11 = in3
        mov r14 = in4
        ;;
        break.m 0x1a
        leave xen_set_five_rr

// xen_insert(ifa, itir, pte, slot, kind): kind 0: itc.d, 1: itc.i, 2: itr.d. Interruptions are not collected meanwhile.
        function xen_insert, 5
        movl r14 = XSI_COLLECTION
        movl r15 = XSI_IFA
        movl r16 = XSI_ITIR
        mov r17 = 1
        mov r8 = in2
        cmp.eq p6, p0 = 0, in4
        cmp.eq p7, p0 = 1, in4
        cmp.eq p8, p0 = 2, in4
        ;;
(p8)    mov r8 = in3
(p8)    mov r9 = in2
        st4 [r14] = r0
        ;;
        st8 [r15] = in0
        st8 [r16] = in1
        ;;
(p6)    break.m HYPERPRIVOP_ITC_D
        ;;
(p7)    break.m HYPERPRIVOP_ITC_I
        ;;
(p8)    break.m 0x0f
        ;;
        st4 [r14] = r17
        leave xen_insert

// xen_cover(): the marker of the frame that the hyperprivop covered, from the shared registers.
        function xen_cover
        movl r14 = XSI_COLLECTION
        movl r15 = XSI_IFS
        mov r17 = 1
        ;;
        st4 [r14] = r0
        ;;
        break.m 0x04
        ;;
        ld8 r8 = [r15]
        st4 [r14] = r17
        leave xen_cover

// The instructions themselves. On Xen they trap and are emulated, so that tests use them there, too.
        function native_get_ivr
        mov r8 = cr.ivr
        leave native_get_ivr
        function native_get_tpr
        mov r8 = cr.tpr
        leave native_get_tpr
        function native_set_tpr, 1
        mov cr.tpr = in0
        ;;
        srlz.d
        leave native_set_tpr
        function native_eoi
        mov cr.eoi = r0
        ;;
        srlz.d
        leave native_eoi
        function native_set_itm, 1
        mov cr.itm = in0
        ;;
        srlz.d
        leave native_set_itm
        function native_thash, 1
        thash r8 = in0
        leave native_thash
        function native_ptc_ga, 2
        ptc.ga in0, in1
        ;;
        srlz.i
        leave native_ptc_ga
        function native_ptc_l, 2
        ptc.l in0, in1
        ;;
        srlz.i
        leave native_ptc_l
        function native_get_rr, 1
        mov r8 = rr[in0]
        leave native_get_rr
        function native_set_rr, 2
        mov rr[in0] = in1
        ;;
        srlz.i
        leave native_set_rr
        function native_set_five_rr, 5
        mov r8 = 1
        ;;
        shl r9 = r8, 61
        mov rr[r0] = in0
        ;;
        shl r10 = r8, 62
        mov rr[r9] = in1
        ;;
        add r11 = r9, r10
        mov rr[r10] = in2
        ;;
        shl r14 = r8, 63
        mov rr[r11] = in3
        ;;
        mov rr[r14] = in4
        ;;
        srlz.i
        leave native_set_five_rr
        function native_set_kr, 2
        cmp.eq p6, p0 = 6, in0
        cmp.eq p7, p0 = 7, in0
        ;;
(p6)    mov ar.k6 = in1
(p7)    mov ar.k7 = in1
        leave native_set_kr
        function native_fc, 1
        fc in0
        ;;
        sync.i
        ;;
        srlz.i
        leave native_fc
        function native_get_cpuid, 1
        mov r8 = cpuid[in0]
        leave native_get_cpuid
        function native_get_psr
        mov r8 = psr
        leave native_get_psr
        function native_get_pmd, 1
        mov r8 = pmd[in0]
        leave native_get_pmd
        function native_insert, 5
        cmp.eq p6, p0 = 0, in4
        cmp.eq p7, p0 = 1, in4
        cmp.eq p8, p0 = 2, in4
        ;;
        rsm psr.ic
        ;;
        srlz.i
        ;;
        mov cr.ifa = in0
        mov cr.itir = in1
        ;;
(p6)    itc.d in2
        ;;
(p7)    itc.i in2
        ;;
(p8)    itr.d dtr[in3] = in2
        ;;
        ssm psr.ic
        ;;
        srlz.i
        leave native_insert

        // Reads and writes of control registers that only tests make.
        .macro control register
        function get_\register
        mov r8 = cr.\register
        leave get_\register
        function set_\register, 1
        mov cr.\register = in0
        ;;
        srlz.d
        leave set_\register
        .endm
        .irp register, dcr, itm, iva, pta, itv, pmv, cmcv, lrr0, lrr1, tpr, ifs, iha, iim
        control \register
        .endr
        function get_lid
        mov r8 = cr.lid
        leave get_lid
        function get_irr3
        mov r8 = cr.irr3
        leave get_irr3
        function set_lid, 1
        mov cr.lid = in0
        leave set_lid

        function native_tpa, 1
        tpa r8 = in0
        leave native_tpa
        function native_tak, 1
        tak r8 = in0
        leave native_tak
        function native_ssm_i
        ssm psr.i
        ;;
        srlz.d
        leave native_ssm_i
        function native_rsm_i
        rsm psr.i
        leave native_rsm_i
        function ptc_e, 1
        ptc.e in0
        leave ptc_e

// hypercall(argument 0, 1, 2, 3, 4, number)
        function hypercall, 6
        mov r2 = in5
        ;;
        break.m HYPERCALL
        leave hypercall

// suspend_hypercall(argument 0, 1, number): everything of the register stack is in memory.
        function suspend_hypercall, 3
        mov r2 = in2
        ;;
        flushrs
        ;;
        break.m HYPERCALL
        leave suspend_hypercall

// firmware_hypercall(number, r28): the class of calls whose arguments are not stacked.
        function firmware_hypercall, 2
        mov r2 = in0
        mov r28 = in1
        ;;
        break.m HYPERCALL
        leave firmware_hypercall

// xen_ipi(vcpu, vector)
        function xen_ipi, 2
        mov r14 = in0
        mov r15 = in1
        mov r2 = CALL_IPI
        ;;
        break.m HYPERCALL
        leave xen_ipi

// break_instruction(): a break that nobody knows.
        function break_instruction
        break.m 0x12345
        leave break_instruction

// pal_call(entry, index, argument 0, 1, 2, results): static PAL procedures; the results are r8 to r11.
        .global pal_call
        .proc pal_call
pal_call:
        alloc loc0 = ar.pfs, 6, 2, 0, 0
        mov loc1 = b0
        movl r2 = pal_return
        ;;
        mov b6 = in0
        mov b0 = r2
        mov r28 = in1
        mov r29 = in2
        mov r30 = in3
        mov r31 = in4
        ;;
        br.sptk.many b6
        ;;
pal_return:
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        st8 [in5] = r8, 8
        ;;
        st8 [in5] = r9, 8
        ;;
        st8 [in5] = r10, 8
        ;;
        st8 [in5] = r11
        br.ret.sptk.many b0
        .endp pal_call

// attempt(function, argument 0, 1, 2): calls the function; a fault in it ends the call. What recover() returns is r8 then.
// The processor's struct cpu (r13) begins with where to recover, and the memory stack to recover with.
        .global attempt
        .proc attempt
attempt:
        alloc loc0 = ar.pfs, 4, 6, 3, 0
        mov loc1 = b0
        mov loc2 = r1
        movl r14 = attempt_failed
        ;;
        mov loc3 = pr
        ld8 r15 = [in0], 8
        add r16 = 8, r13
        st8 [r13] = r14
        ;;
        st8 [r16] = r12
        ld8 r1 = [in0]
        mov b6 = r15
        mov loc4 = r15
        mov out0 = in1
        mov out1 = in2
        mov out2 = in3
        ;;
        br.call.sptk.many b0 = b6
        ;;
        st8 [r13] = r0
        mov b0 = loc1
        mov r1 = loc2
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        ;;
// The trap handler comes back here, in the frame of the function that faulted. That function is one of operations.s or probes of the
// tests: it has not changed ar.pfs, so that a return from it finds this function's frame again.
attempt_failed:
        movl r14 = attempt_unwound
        ;;
        mov b0 = r14
        ;;
        br.ret.sptk.many b0
        ;;
attempt_unwound:
        movl r8 = 0x7fffffffdeadfa17
        mov b0 = loc1
        mov r1 = loc2
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp attempt

        .macro probe name, load
        function \name, 1
        \load r8 = [in0]
        leave \name
        .endm
        probe read_byte, ld1
        probe read_word, ld8
        function write_word, 2
        st8 [in0] = in1
        leave write_word
        function read_unaligned, 1
        add in0 = 1, in0
        sum 8
        ;;
        srlz.d
        ld8 r8 = [in0]
        ;;
        rum 8
        leave read_unaligned
        function read_speculatively, 1
        ld8.s r8 = [in0]
        ;;
        tnat.nz p6, p7 = r8
        ;;
(p6)    mov r8 = -1
        leave read_speculatively
        function use_nat, 1
        ld8.s r8 = [in0]
        ;;
        add r8 = 8, r8
        ;;
        ld8 r8 = [r8]
        leave use_nat
        function jump_to, 1
        mov b6 = in0
        ;;
        br.sptk.many b6
        .endp jump_to
