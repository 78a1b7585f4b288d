// Interruptions of a machine.

        .macro FAULT_ADDRESS register
        mov \register = cr.ifa
        .endm
        .macro SET_ITIR register, scratch
        mov cr.itir = \register
        .endm
        .macro INSERT_DATA register, scratch
        ;;
        itc.d \register
        ;;
        srlz.d
        .endm
        .macro INSERT_CODE register, scratch
        ;;
        itc.i \register
        ;;
        srlz.i
        .endm
        .macro RETURN_BARE
        rfi
        ;;
        .endm
        .macro READ_STATE frame, s0, s1, s2, s3
        add \s0 = FRAME_IPSR, \frame
        mov \s1 = cr.ipsr
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.iip
        cover
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.ifs
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.isr
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.ifa
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.iim
        ;;
        st8 [\s0] = \s1, 8
        mov \s1 = cr.iha
        ;;
        st8 [\s0] = \s1
        .endm
        .macro BANK_ONE scratch
        bsw.1
        ;;
        .endm
        .macro BANK_ZERO scratch
        bsw.0
        ;;
        .endm
        .macro COLLECT scratch
        ssm psr.ic
        ;;
        srlz.i
        ;;
        .endm
        .macro STOP_COLLECTING scratch
        rsm psr.i | psr.ic
        ;;
        srlz.i
        ;;
        .endm
        .macro WRITE_STATE frame, s0, s1, s2
        add \s0 = FRAME_IPSR, \frame
        ;;
        ld8 \s1 = [\s0], 8
        ;;
        ld8 \s2 = [\s0], 8
        mov cr.ipsr = \s1
        ;;
        ld8 \s1 = [\s0]
        mov cr.iip = \s2
        ;;
        mov cr.ifs = \s1
        ;;
        .endm
        .macro RETURN
        rfi
        ;;
        .endm

        .include "interruption.inc"

        .text
        interruption native
        miss native_code_miss, native, INSERT_CODE
        miss native_data_miss, native, INSERT_DATA
