// What an interruption costs: loops of break and rfi, and of a page that is purged, missed, inserted again. Prints a line as native/bench does for
// each loop: how often (its third word), and the time in units of the interval time counter, of several runs the least. `loop` and `purge` are what
// the other two do beside.

        .include "machine.inc"

TURNS           = 4096                  // a millisecond or two: mostly nobody else takes the processor meanwhile
RUNS            = 100

        .text
        .align 0x8000
vectors:
        .org vectors + 0x1000           // alternate data TLB
        movl r17 = (PHYSICAL + LAZY_OFFSET) | PTE_WB
        mov r18 = LAZY_PAGE << 2
        ;;
        mov cr.itir = r18
        ;;
        itc.d r17
        ;;
        srlz.d
        ;;
        rfi
        ;;
        .org vectors + 0x2c00           // break: goes on at the next bundle
        mov r16 = cr.iip
        ;;
        add r16 = 16, r16
        ;;
        mov cr.iip = r16
        ;;
        rfi
        ;;
        .org vectors + 0x8000

        .global main
        .proc main
main:   alloc loc0 = ar.pfs, 0, 9, 1, 0
        mov loc1 = b0
        mov loc2 = cr.iva
        movl r2 = vectors
        ;;
        mov loc3 = ar.lc
        mov cr.iva = r2
        ;;
        srlz.i
        movl loc5 = LAZY_VIRTUAL
        mov loc6 = LAZY_PAGE << 2
        ;;

        // A loop between these two is timed.
        .macro begin
        mov loc7 = RUNS
        mov loc4 = -1
        ;;
2:      movl r2 = TURNS - 1
        ;;
        mov ar.lc = r2
        mov loc8 = ar.itc
        ;;
1:
        .endm
        .macro end name
        br.cloop.sptk.many 1b
        ;;
        mov r2 = ar.itc
        add loc7 = -1, loc7
        ;;
        sub r2 = r2, loc8
        cmp.ne p6, p0 = 0, loc7
        ;;
        cmp.ltu p7, p0 = r2, loc4
        ;;
(p7)    mov loc4 = r2
(p6)    br.cond.sptk.many 2b
        movl out0 = text_\name
        ;;
        br.call.sptk.many b0 = print
        ;;
        movl out0 = TURNS
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_space
        br.call.sptk.many b0 = print
        ;;
        mov out0 = loc4
        br.call.sptk.many b0 = print_hex
        ;;
        movl out0 = text_end
        br.call.sptk.many b0 = print
        ;;
        .endm

        begin
        add r8 = 1, r8
        ;;
        end loop

        begin
        break.m 1
        ;;
        end break

        begin
        ptc.l loc5, loc6
        ;;
        srlz.d
        ;;
        end purge

        begin
        ptc.l loc5, loc6
        ;;
        srlz.d
        ;;
        ld8 r8 = [loc5]
        ;;
        add r9 = r8, r9
        ;;
        end miss

        mov cr.iva = loc2
        mov b0 = loc1
        mov ar.lc = loc3
        ;;
        srlz.i
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp main

        .section .rodata
text_loop:  stringz "interruption loop "
text_break: stringz "interruption break "
text_purge: stringz "interruption purge "
text_miss:  stringz "interruption miss "
text_space: stringz " "
text_end:   stringz "\r\n"
