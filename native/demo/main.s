// The tour: each stop computes something that needs a part of the machine, and checks it.

        .include "machine.inc"

// check TEXT, EXPECTED, PRINTER: compares r8, prints a line, counts failures in loc2.
        .macro check text, expected, printer=print_decimal
        mov loc3 = r8
        movl out0 = \text
        br.call.sptk.many b0 = print
        ;;
        mov out0 = loc3
        br.call.sptk.many b0 = \printer
        ;;
        movl r9 = \expected
        ;;
        cmp.ne p6, p7 = r9, loc3
        movl out0 = text_ok
        ;;
(p6)    add loc2 = 1, loc2
(p6)    movl out0 = text_failed
        br.call.sptk.many b0 = print
        ;;
        .endm

        .text
        .global main
        .proc main
main:   alloc loc0 = ar.pfs, 0, 4, 2, 0
        mov loc1 = b0
        mov loc2 = 0
        movl out0 = text_banner
        ;;
        br.call.sptk.many b0 = print
        ;;
        br.call.sptk.many b0 = processor_name
        ;;
        movl out0 = name
        br.call.sptk.many b0 = print
        ;;
        movl out0 = text_new_line
        br.call.sptk.many b0 = print
        ;;
        mov out0 = 500
        br.call.sptk.many b0 = sum_by_recursion
        ;;
        check text_recursion, 125250
        br.call.sptk.many b0 = sum_of_squares
        ;;
        check text_rotation, 338350
        br.call.sptk.many b0 = third
        ;;
        check text_division, 333333333
        getf.d r8 = f8
        ;;
        check text_bits, 0x3fd5555555555555, print_hex
        br.call.sptk.many b0 = speculate
        ;;
        check text_speculation, 42
        br.call.sptk.many b0 = touch_lazy_page
        ;;
        check text_memory, 0x4654584e, print_hex
        movl r8 = tlb_misses
        ;;
        ld8 r8 = [r8]
        ;;
        check text_misses, 1
        br.call.sptk.many b0 = count_ticks
        ;;
        check text_timer, TIMER_TICKS

        cmp.eq p6, p7 = 0, loc2
        movl out0 = text_bad_end
        ;;
(p6)    movl out0 = text_good_end
        br.call.sptk.many b0 = print
        ;;
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp main

// Stores the vendor's name that CPUID registers 0 and 1 hold.
        .proc processor_name
processor_name:
        mov r14 = 0
        mov r15 = 1
        movl r2 = name
        ;;
        mov r8 = cpuid[r14]
        mov r9 = cpuid[r15]
        ;;
        st8 [r2] = r8, 8
        ;;
        st8 [r2] = r9
        br.ret.sptk.many b0
        .endp processor_name

// sum_by_recursion(n) = n + sum_by_recursion(n - 1): 500 frames do not fit into the 96 stacked registers.
        .proc sum_by_recursion
sum_by_recursion:
        alloc loc0 = ar.pfs, 1, 2, 1, 0
        mov loc1 = b0
        mov r8 = 0
        cmp.eq p6, p7 = 0, in0
        add out0 = -1, in0
        ;;
(p6)    br.cond.spnt.few summed
        br.call.sptk.many b0 = sum_by_recursion
        ;;
summed: add r8 = r8, in0
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp sum_by_recursion

// A loop of three stages over rotating registers: load, wait, multiply and add.
        .proc sum_of_squares
sum_of_squares:
        alloc r2 = ar.pfs, 0, 8, 0, 8
        movl r14 = numbers
        mov ar.lc = 99
        mov ar.ec = 3
        mov pr.rot = 1 << 16
        setf.sig f6 = r0
        ;;
stage:
(p16)   ldf8 f32 = [r14], 8
(p18)   xma.l f6 = f34, f34, f6
        br.ctop.sptk.few stage
        ;;
        getf.sig r8 = f6
        br.ret.sptk.many b0
        .endp sum_of_squares

// 1/3 in double precision as compilers expand a division; f8 = the quotient, r8 = its first nine decimals.
        .proc third
third:  mov r2 = 3
        movl r3 = 1000000000
        ;;
        setf.sig f6 = r2
        setf.sig f7 = r3
        ;;
        fcvt.xf f9 = f6
        fcvt.xf f7 = f7
        ;;
        frcpa.s0 f8, p6 = f1, f9
        ;;
(p6)    fma.s1 f10 = f1, f8, f0         // q0 = a y0
(p6)    fnma.s1 f11 = f9, f8, f1        // e0 = 1 - b y0
        ;;
(p6)    fma.s1 f10 = f11, f10, f10      // q1 = q0 + e0 q0
(p6)    fma.s1 f12 = f11, f11, f0       // e1 = e0 e0
(p6)    fma.s1 f8 = f11, f8, f8         // y1 = y0 + e0 y0
        ;;
(p6)    fma.s1 f10 = f12, f10, f10      // q2 = q1 + e1 q1
(p6)    fma.s1 f13 = f12, f12, f0       // e2 = e1 e1
(p6)    fma.s1 f8 = f12, f8, f8         // y2 = y1 + e1 y1
        ;;
(p6)    fma.d.s1 f10 = f13, f10, f10    // q3 = q2 + e2 q2
(p6)    fma.s1 f8 = f13, f8, f8         // y3 = y2 + e2 y2
        ;;
(p6)    fnma.d.s1 f11 = f9, f10, f1     // r = a - b q3
        ;;
(p6)    fma.d.s0 f8 = f11, f8, f10      // q = q3 + r y3
        ;;
        fma.d.s0 f10 = f8, f7, f0
        ;;
        fcvt.fx.trunc.s0 f10 = f10
        ;;
        getf.sig r8 = f10
        br.ret.sptk.many b0
        .endp third

// A speculative load from a page that is not mapped yields a NaT instead of a fault; the check finds it.
        .proc speculate
speculate:
        movl r2 = LAZY_VIRTUAL
        mov r8 = 0
        ;;
        ld8.s r3 = [r2]
        ;;
        chk.s r3, deferred
        br.ret.sptk.many b0
        ;;
deferred:
        mov r8 = 42
        br.ret.sptk.many b0
        .endp speculate

// Stores through a page that is mapped by the miss that this causes, and loads through the image's own mapping.
        .proc touch_lazy_page
touch_lazy_page:
        movl r2 = LAZY_VIRTUAL + 0x123 * 8
        movl r3 = VIRTUAL + LAZY_OFFSET + 0x123 * 8
        movl r8 = 0x4654584e
        ;;
        st8 [r2] = r8
        ;;
        ld8 r8 = [r3]
        br.ret.sptk.many b0
        .endp touch_lazy_page

// Lets the timer interrupt ten times.
        .proc count_ticks
count_ticks:
        mov r2 = TIMER_VECTOR
        movl r3 = TIMER_PERIOD
        mov r9 = ar.itc
        movl r14 = timer_ticks
        ;;
        mov cr.itv = r2
        mov cr.tpr = r0
        add r9 = r9, r3
        ;;
        mov cr.itm = r9
        ;;
        srlz.d
        ;;
        ssm psr.i
        ;;
        srlz.d
        ;;
tick:   ld8.acq r8 = [r14]
        ;;
        cmp.gtu p6, p7 = TIMER_TICKS, r8
(p6)    br.cond.sptk.few tick
        ;;
        rsm psr.i
        ;;
        br.ret.sptk.many b0
        .endp count_ticks

        .section .rodata
text_banner:      stringz "\r\nFastXen demo guest: IA-64, virtual mode, processor "
text_new_line:    stringz "\r\n"
text_recursion:   stringz "register stack   1 + ... + 500 by recursion  "
text_rotation:    stringz "rotating loop    sum of 1..100 squared       "
text_division:    stringz "floating point   1/3 in billionths           "
text_bits:        stringz "                 as a double                 "
text_speculation: stringz "speculation      value after recovery        "
text_memory:      stringz "translation      stored through a TLB miss   "
text_misses:      stringz "                 misses handled              "
text_timer:       stringz "interval timer   interrupts taken            "
text_ok:          stringz "  ok\r\n"
text_failed:      stringz "  FAILED\r\n"
text_good_end:    stringz "all passed, powering off\r\n"
text_bad_end:     stringz "FAILED, powering off\r\n"

        .data
        .align 8
numbers:
        .set number, 1
        .rept 100
        data8 number
        .set number, number + 1
        .endr

        .bss
        .align 8
name:   .skip 24
