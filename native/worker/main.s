// A guest that works and checks its work: each round fills a table with numbers of a generator, walks it for a checksum, and compares it with the
// generator's numbers made again. Every 64 rounds it prints a line and waits for a tick of the timer, which interrupts the work as well.

        .include "machine.inc"

TABLE_WORDS     = 8192
ROUNDS          = 64                    // to a line
GOLDEN          = 0x9e3779b97f4a7c15

// next NUMBER: Marsaglia's generator by shifts (13, 7, 17).
        .macro next number
        shl r14 = \number, 13
        ;;
        xor \number = \number, r14
        ;;
        shr.u r14 = \number, 7
        ;;
        xor \number = \number, r14
        ;;
        shl r14 = \number, 17
        ;;
        xor \number = \number, r14
        ;;
        .endm

        .text
        .global main
        .proc main
main:   alloc loc0 = ar.pfs, 0, 6, 1, 0
        mov loc1 = b0
        mov loc2 = 0                    // lines
        movl loc3 = GOLDEN              // seed of the round: GOLDEN times its number
        movl out0 = text_start
        ;;
        br.call.sptk.many b0 = print
        ;;
        br.call.sptk.many b0 = find_firmware
        ;;
        movl out0 = TIMER_PERIOD
        br.call.sptk.many b0 = start_timer
        ;;
line:   mov loc4 = ROUNDS
        mov loc5 = 0                    // checksum of the line
        ssm psr.i
        ;;
        srlz.d
        ;;
round:  mov out0 = loc3
        br.call.sptk.many b0 = work
        ;;
        shrp loc5 = loc5, loc5, 63      // rotated left by 1
        movl r2 = GOLDEN
        ;;
        xor loc5 = loc5, r8
        add loc3 = loc3, r2
        add loc4 = -1, loc4
        cmp.ne p6, p7 = 0, r9
        ;;
(p6)    br.cond.spnt.few failed
        cmp.ne p6, p7 = 0, loc4
        ;;
(p6)    br.cond.sptk.few round
        rsm psr.i
        movl out0 = text_line
        br.call.sptk.many b0 = print
        ;;
        mov out0 = loc2
        br.call.sptk.many b0 = print_decimal
        ;;
        movl out0 = text_checksum
        br.call.sptk.many b0 = print
        ;;
        mov out0 = loc5
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_ok
        br.call.sptk.many b0 = print
        ;;
        add loc2 = 1, loc2
        br.call.sptk.many b0 = wait_for_interrupt
        ;;
        br.call.sptk.many b0 = power_button
        ;;
        cmp.eq p6, p7 = 0, r8
        movl out0 = text_bye
(p6)    br.cond.sptk.few line
        ;;
said:   br.call.sptk.many b0 = print
        ;;
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        ;;
failed: rsm psr.i
        movl out0 = text_failed
        br.sptk.few said
        .endp main

// work(seed): r8 = checksum of the table, r9 = words of it that are wrong.
        .proc work
work:   alloc r2 = ar.pfs, 1, 0, 0, 0
        movl r3 = table
        mov r10 = in0
        movl r11 = TABLE_WORDS - 1
        mov r16 = ar.lc
        mov r8 = 0
        mov r9 = 0
        ;;
        mov ar.lc = r11
        ;;
fill:   next r10
        st8 [r3] = r10, 8
        br.cloop.sptk.few fill
        ;;
        movl r3 = table
        mov ar.lc = r11
        mov r10 = in0
        ;;
walk:   ld8 r15 = [r3], 8
        shrp r8 = r8, r8, 63
        next r10
        cmp.ne p6, p7 = r10, r15
        xor r8 = r8, r15
        ;;
(p6)    add r9 = 1, r9
        br.cloop.sptk.few walk
        ;;
        mov ar.lc = r16
        br.ret.sptk.many b0
        .endp work

        .section .rodata
text_start:    stringz "worker\r\n"
text_line:     stringz "line "
text_checksum: stringz " checksum "
text_ok:       stringz " ok\r\n"
text_failed:   stringz "FAILED: the table is wrong\r\n"
text_bye:      stringz "power button, powering off\r\n"

        .bss
        .align 64
table:  .skip 8 * TABLE_WORDS
