// A guest that waits: for its power button, which interrupts it, and for a timer about once a second.

        .include "machine.inc"

IDLE_PERIOD     = 200000000

// The I/O SAPIC, uncacheable in physical mode; its input of ACPI's interrupt, and that input's redirection entry.
IOSAPIC_SELECT  = (1 << 63) | 0xfec00000
IOSAPIC_WINDOW  = IOSAPIC_SELECT + 0x10
SCI_INPUT       = 9
SCI_ENTRY       = 0x10 + 2 * SCI_INPUT

        .text
        .global main
        .proc main
main:   alloc loc0 = ar.pfs, 0, 2, 1, 0
        mov loc1 = b0
        movl out0 = text_idle
        ;;
        br.call.sptk.many b0 = print
        ;;
        br.call.sptk.many b0 = find_firmware
        ;;
        br.call.sptk.many b0 = listen
        ;;
idle:   movl out0 = IDLE_PERIOD
        br.call.sptk.many b0 = start_timer
        ;;
        br.call.sptk.many b0 = wait_for_interrupt
        ;;
        br.call.sptk.many b0 = power_button
        ;;
        cmp.eq p6, p7 = 0, r8
        movl out0 = text_bye
(p6)    br.cond.sptk.few idle
        ;;
        br.call.sptk.many b0 = print
        ;;
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp main

// listen: ACPI's interrupts come to this processor as the timer's do, by their edge.
        .proc listen
listen: movl r2 = IOSAPIC_SELECT
        movl r3 = IOSAPIC_WINDOW
        mov r8 = SCI_ENTRY + 1
        mov r9 = SCI_ENTRY
        mov r10 = TIMER_VECTOR
        rsm psr.dt
        ;;
        srlz.d
        ;;
        st4.rel [r2] = r8
        ;;
        st4.rel [r3] = r0               // id and eid 0
        ;;
        st4.rel [r2] = r9
        ;;
        st4.rel [r3] = r10              // fixed, edge, not masked
        ssm psr.dt
        ;;
        srlz.d
        br.ret.sptk.many b0
        .endp listen

        .section .rodata
text_idle: stringz "idle\r\n"
text_bye:  stringz "power button, powering off\r\n"
