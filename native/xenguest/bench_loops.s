// Loops of bench.c that C cannot express.

        .include "layout.inc"

        .text
// rfi_loop(count, psr): so many hyperprivops rfi, each to the instruction behind itself.
        .global rfi_loop
        .proc rfi_loop
rfi_loop:
        alloc r31 = ar.pfs, 2, 0, 0, 0
        mov r3 = ar.lc
        add r2 = -1, in0
        movl r8 = XSI_COLLECTION
        movl r9 = XSI_IIP
        movl r10 = XSI_IPSR
        movl r11 = XSI_IFS
        movl r14 = PSR_IC | PSR_I | PSR_BN
        movl r15 = rfi_done
        ;;
        or r14 = r14, in1
        mov ar.lc = r2
        ;;
rfi_again:
        st4 [r8] = r0
        ;;
        st8 [r9] = r15
        st8 [r10] = r14
        st8 [r11] = r0
        ;;
        break.m HYPERPRIVOP_RFI
        ;;
        .align 16
rfi_done:
        br.cloop.sptk.few rfi_again
        ;;
        mov ar.lc = r3
        br.ret.sptk.many b0
        .endp rfi_loop
