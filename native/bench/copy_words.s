// copy_words(to, from, count): a loop of four stages whose words wait in rotating registers and whose stages run under rotating
// predicates, as a compiler's modulo scheduler makes it.

        .text
        .global copy_words
        .proc copy_words
copy_words:
        alloc r2 = ar.pfs, 3, 5, 0, 8
        mov r3 = ar.lc
        mov r8 = pr
        mov r10 = in1
        mov r11 = in0
        cmp.eq p6, p0 = 0, in2
        add r9 = -1, in2
        ;;
(p6)    br.ret.spnt.few b0
        mov ar.lc = r9
        mov ar.ec = 4
        mov pr.rot = 1 << 16
        ;;
word:
(p16)   ld8 r32 = [r10], 8
(p19)   st8 [r11] = r35, 8
        br.ctop.sptk.few word
        ;;
        mov ar.lc = r3
        mov pr = r8, -1
        br.ret.sptk.many b0
        .endp copy_words
