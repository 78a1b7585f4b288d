// The interruption vector table, the same on Xen and on a machine: it finds which of the two it is.

        .include "layout.inc"

// p6: on Xen. r16 = pr, r24 = vector.
        .macro which offset
        .org vectors + \offset
        mov r16 = pr
        movl r17 = on_xen
        ;;
        ld8 r17 = [r17]
        mov r24 = \offset
        ;;
        cmp.ne p6, p7 = 0, r17
        .endm

        .macro vector offset
        which \offset
(p6)    br.cond.sptk.many xen_interrupted
        br.sptk.many native_interrupted
        .endm

        .section .vectors, "ax"
        .global vectors
vectors:
        .irp offset, 0x0000, 0x0400, 0x0800
        vector \offset
        .endr
        which 0x0c00
(p6)    br.cond.sptk.many xen_code_miss
        br.sptk.many native_code_miss
        which 0x1000
(p6)    br.cond.sptk.many xen_data_miss
        br.sptk.many native_data_miss
        .irp offset, 0x1400, 0x1800, 0x1c00, 0x2000, 0x2400, 0x2800, 0x2c00, 0x3000
        vector \offset
        .endr
        .irp offset, 0x5000, 0x5100, 0x5200, 0x5300, 0x5400, 0x5500, 0x5600, 0x5700, 0x5900, 0x5a00, 0x5b00, 0x5c00, 0x5d00, 0x5e00, 0x5f00
        vector \offset
        .endr
        .irp offset, 0x6000, 0x6100
        vector \offset
        .endr
