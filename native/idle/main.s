// A guest that waits, wakes up ten times a second to look at its power button, and waits again.

        .include "machine.inc"

IDLE_PERIOD     = 40000000

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

        .section .rodata
text_idle: stringz "idle\r\n"
text_bye:  stringz "power button, powering off\r\n"
