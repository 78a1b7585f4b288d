// Interruptions on Xen: what describes an interruption is in the shared registers, and so is the register bank that is not in
// use. Event callbacks come as the external interrupt would.

        .macro HYPERPRIVOP number
        ;;
        break.m \number
        ;;
        .endm
        .macro FAULT_ADDRESS register
        movl \register = XSI_IFA
        ;;
        ld8 \register = [\register]
        .endm
        .macro SET_ITIR register, scratch
        movl \scratch = XSI_ITIR
        ;;
        st8 [\scratch] = \register
        .endm
        .macro INSERT_DATA register, scratch
        mov \scratch = r8
        mov r8 = \register
        HYPERPRIVOP HYPERPRIVOP_ITC_D
        mov r8 = \scratch
        .endm
        .macro INSERT_CODE register, scratch
        mov \scratch = r8
        mov r8 = \register
        HYPERPRIVOP HYPERPRIVOP_ITC_I
        mov r8 = \scratch
        .endm
        .macro RETURN_BARE
        HYPERPRIVOP HYPERPRIVOP_RFI
        .endm
        .macro COPY_STATE to, from, value
        ;;
        ld8 \value = [\from]
        ;;
        st8 [\to] = \value, 8
        .endm
        .macro READ_STATE frame, s0, s1, s2, s3
        add \s0 = FRAME_IPSR, \frame
        movl \s1 = XSI_IPSR
        movl \s3 = XSI_IIP
        COPY_STATE \s0, \s1, \s2
        COPY_STATE \s0, \s3, \s2
        cover
        ;;
        movl \s1 = XSI_PRECOVER
        movl \s3 = XSI_ISR
        COPY_STATE \s0, \s1, \s2
        COPY_STATE \s0, \s3, \s2
        movl \s1 = XSI_IFA
        movl \s3 = XSI_IIM
        COPY_STATE \s0, \s1, \s2
        COPY_STATE \s0, \s3, \s2
        movl \s1 = XSI_IHA
        COPY_STATE \s0, \s1, \s2
        .endm
        // bsw.1 as the interface wants it: the registers from memory, the number of the bank to memory.
        .macro BANK_ONE scratch
        movl \scratch = XSI_VNAT
        mov r8 = ar.unat
        ;;
        ld8 r9 = [\scratch]
        movl r10 = XSI_BANK1
        ;;
        mov ar.unat = r9
        ;;
        .irp register, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld8.fill r\register = [r10], 8
        ;;
        .endr
        movl r10 = XSI_BANK
        mov r9 = 1
        mov ar.unat = r8
        ;;
        st4 [r10] = r9
        .endm
        .macro BANK_ZERO scratch
        movl r10 = XSI_BANK1
        ;;
        .irp register, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        st8.spill [r10] = r\register, 8
        ;;
        .endr
        mov r8 = ar.unat
        movl r9 = XSI_VNAT
        movl r10 = XSI_BANK
        ;;
        st8 [r9] = r8
        st4 [r10] = r0
        .endm
        .macro COLLECT scratch
        movl \scratch = XSI_COLLECTION
        mov r15 = 1
        ;;
        st4 [\scratch] = r15
        ;;
        .endm
        .macro STOP_COLLECTING scratch
        // Events first: nothing may be delivered once the registers hold the frame's.
        movl \scratch = XSI_MASK
        mov r15 = 1
        ;;
        ld8 \scratch = [\scratch]
        ;;
        st1 [\scratch] = r15
        movl \scratch = XSI_COLLECTION
        ;;
        st4 [\scratch] = r0
        ;;
        .endm
        .macro WRITE_STATE frame, s0, s1, s2
        add \s0 = FRAME_IPSR, \frame
        movl \s1 = XSI_IPSR
        ;;
        ld8 \s2 = [\s0], 8
        ;;
        st8 [\s1] = \s2
        movl \s1 = XSI_IIP
        ;;
        ld8 \s2 = [\s0], 8
        ;;
        st8 [\s1] = \s2
        movl \s1 = XSI_IFS
        ;;
        ld8 \s2 = [\s0]
        ;;
        st8 [\s1] = \s2
        .endm
        .macro RETURN
        HYPERPRIVOP HYPERPRIVOP_RFI
        .endm

        .include "interruption.inc"

        .text
        interruption xen
        miss xen_code_miss, xen, INSERT_CODE
        miss xen_data_miss, xen, INSERT_DATA

// Where events come, as external interrupts would.
        .global xen_event_callback
xen_event_callback:
        mov r16 = pr
        mov r24 = 0x3000
        br.sptk.many xen_interrupted
