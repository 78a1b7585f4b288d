// The interruption vector table. Handlers run with interruption collection off and use bank 0's r16 to r31.

        .include "machine.inc"

        .section .ivt, "ax"
        .align 0x8000
        .global interruption_vectors
interruption_vectors:

// A vector for which this kernel has no use.
        .macro unexpected vector
        .org interruption_vectors + \vector
        mov r16 = \vector
        br.sptk.many unexpected_interruption
        .endm

        .irp vector, 0x0000, 0x0400, 0x0800, 0x0c00
        unexpected \vector
        .endr

// Alternate data TLB: the walker is off, so a data miss comes here. Maps the lazy page, and only that one.
        .org interruption_vectors + 0x1000
        mov r16 = pr
        mov r17 = cr.ifa
        movl r18 = LAZY_VIRTUAL >> LAZY_PAGE
        ;;
        shr.u r19 = r17, LAZY_PAGE
        ;;
        cmp.ne p6, p0 = r18, r19
        movl r20 = (PHYSICAL + LAZY_OFFSET) | PTE_WB
        mov r21 = LAZY_PAGE << 2
        movl r22 = tlb_misses
        ;;
(p6)    br.cond.spnt.many not_lazy
        mov cr.itir = r21
        ld8 r25 = [r22]
        ;;
        add r25 = 1, r25
        ;;
        st8 [r22] = r25
        ;;
        itc.d r20
        mov pr = r16, -1
        ;;
        srlz.d
        ;;
        rfi
        ;;
not_lazy:
        mov r16 = 0x1000
        br.sptk.many unexpected_interruption

        .irp vector, 0x1400, 0x1800, 0x1c00, 0x2000, 0x2400, 0x2800, 0x2c00
        unexpected \vector
        .endr

// External interrupt: the timer's.
        .org interruption_vectors + 0x3000
        mov r16 = pr
        mov r17 = cr.ivr
        movl r18 = timer_ticks
        ;;
        mov r19 = TIMER_VECTOR
        ld8 r20 = [r18]
        movl r22 = TIMER_PERIOD
        ;;
        cmp.ne p6, p0 = r17, r19
        add r20 = 1, r20
        ;;
(p6)    br.cond.spnt.many not_timer
        st8 [r18] = r20
        // A time that has passed when it is written raises no interrupt, and the host may have been busy elsewhere: look again.
rearm:  mov r21 = ar.itc
        ;;
        add r21 = r21, r22
        ;;
        mov cr.itm = r21
        ;;
        srlz.d
        ;;
        mov r19 = ar.itc
        ;;
        cmp.geu p6, p0 = r19, r21
(p6)    br.cond.spnt.few rearm
        ;;
        mov cr.eoi = r0
        mov pr = r16, -1
        ;;
        srlz.d
        ;;
        rfi
        ;;
not_timer:
        mov r16 = 0x3000
        br.sptk.many unexpected_interruption

        .irp vector, 0x3400, 0x3800, 0x3c00, 0x4000, 0x4400, 0x4800, 0x4c00
        unexpected \vector
        .endr
        .irp vector, 0x5000, 0x5100, 0x5200, 0x5300, 0x5400, 0x5500, 0x5600, 0x5700, 0x5800, 0x5900
        unexpected \vector
        .endr
        .irp vector, 0x5a00, 0x5b00, 0x5c00, 0x5d00, 0x5e00, 0x5f00, 0x6000, 0x6100, 0x6200, 0x6300
        unexpected \vector
        .endr
        .irp vector, 0x6400, 0x6500, 0x6600, 0x6700, 0x6800, 0x6900, 0x6a00, 0x6b00, 0x6c00, 0x6d00, 0x6e00, 0x6f00
        unexpected \vector
        .endr
        .irp vector, 0x7000, 0x7100, 0x7200, 0x7300, 0x7400, 0x7500, 0x7600, 0x7700, 0x7800, 0x7900, 0x7a00, 0x7b00
        unexpected \vector
        .endr
        .irp vector, 0x7c00, 0x7d00, 0x7e00, 0x7f00
        unexpected \vector
        .endr

// Says what happened and powers off. r16 is the vector's offset.
        .text
        .proc unexpected_interruption
unexpected_interruption:
        mov r4 = r16
        mov r5 = cr.iip
        mov r6 = cr.ifa
        mov r7 = cr.isr
        cover
        ;;
        bsw.1
        ;;
        alloc r2 = ar.pfs, 0, 0, 1, 0
        movl out0 = text_unexpected
        ;;
        br.call.sptk.many b0 = print
        ;;
        mov out0 = r4
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_iip
        br.call.sptk.many b0 = print
        ;;
        mov out0 = r5
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_ifa
        br.call.sptk.many b0 = print
        ;;
        mov out0 = r6
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_isr
        br.call.sptk.many b0 = print
        ;;
        mov out0 = r7
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_end
        br.call.sptk.many b0 = print
        ;;
        br.call.sptk.many b0 = power_off
        .endp unexpected_interruption

        .section .rodata
text_unexpected: stringz "\r\nFAILED: unexpected interruption, vector "
text_iip:        stringz ", iip "
text_ifa:        stringz ", ifa "
text_isr:        stringz ", isr "
text_end:        stringz "\r\n"

        .bss
        .align 8
        .global tlb_misses, timer_ticks
tlb_misses:     .skip 8
timer_ticks:    .skip 8
