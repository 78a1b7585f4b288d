// What a guest asks of its firmware and of ACPI while it runs: to wait for an interrupt, and whether the power button was pressed.

        .include "machine.inc"

        .text

// find_firmware: maps low memory, finds PAL's entry point, listens to the power button. Once, before the two below.
        .global find_firmware
        .proc find_firmware
find_firmware:
        movl r2 = LOW_VIRTUAL
        mov r3 = IMAGE_PAGE << 2
        movl r8 = PTE_WB
        mov r9 = 2
        ;;
        rsm psr.ic
        ;;
        srlz.i
        ;;
        mov cr.ifa = r2
        mov cr.itir = r3
        ;;
        itr.i itr[r9] = r8
        ;;
        itr.d dtr[r9] = r8
        ;;
        ssm psr.ic
        ;;
        srlz.i
        ;;
        movl r3 = boot_parameters
        movl r14 = SAL_GUID_LOW
        movl r15 = SAL_GUID_HIGH
        ;;
        ld8 r3 = [r3]
        ;;
        add r3 = r3, r2
        ;;
        add r3 = BOOT_EFI_SYSTEM_TABLE, r3
        ;;
        ld8 r3 = [r3]                   // the EFI system table
        ;;
        add r3 = r3, r2
        ;;
        add r8 = EFI_TABLES, r3
        ;;
        ld8 r8 = [r8]                   // its list of tables, which has SAL's
        ;;
        add r8 = r8, r2
        ;;
table:  add r9 = 8, r8
        add r10 = 16, r8
        ld8 r11 = [r8], EFI_TABLE_SIZE
        ;;
        ld8 r9 = [r9]
        cmp.eq p6, p7 = r11, r14
        ;;
(p6)    cmp.eq.unc p6, p0 = r9, r15
        ;;
(p6)    ld8 r10 = [r10]
(p6)    br.cond.sptk.few found
        br.sptk.few table
        ;;
found:  add r10 = r10, r2
        ;;
        add r10 = SAL_PAL_PROC, r10
        ;;
        ld8 r10 = [r10]
        movl r11 = pal_entry
        ;;
        add r10 = r10, r2
        movl r8 = PM_ENABLE
        mov r9 = 1 << POWER_BUTTON
        ;;
        st8 [r11] = r10
        st2.rel [r8] = r9
        br.ret.sptk.many b0
        .endp find_firmware

// wait_for_interrupt: PAL_HALT_LIGHT, a static call; what came is taken before this returns. Interrupts are off before and after.
        .global wait_for_interrupt
        .proc wait_for_interrupt
wait_for_interrupt:
        alloc loc0 = ar.pfs, 0, 2, 0, 0
        mov loc1 = b0
        movl r2 = pal_entry
        movl r3 = awake
        ;;
        ld8 r2 = [r2]
        mov b0 = r3
        mov r28 = PAL_HALT_LIGHT
        mov r29 = r0
        mov r30 = r0
        mov r31 = r0
        ;;
        mov b6 = r2
        ;;
        br.sptk.many b6
        ;;
awake:  ssm psr.i
        ;;
        srlz.d
        ;;
        rsm psr.i
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp wait_for_interrupt

// power_button: r8 is not 0 when it was pressed.
        .global power_button
        .proc power_button
power_button:
        movl r2 = PM_STATUS
        ;;
        ld2.acq r8 = [r2]
        ;;
        extr.u r8 = r8, POWER_BUTTON, 1
        br.ret.sptk.many b0
        .endp power_button

// start_timer(period): the next interrupt of the timer is that far from now.
        .global start_timer
        .proc start_timer
start_timer:
        alloc r2 = ar.pfs, 1, 0, 0, 0
        mov r3 = TIMER_VECTOR
        ;;
        mov cr.itv = r3
        mov cr.tpr = r0
        // As in the handler: not a time that has passed.
again:  mov r8 = ar.itc
        ;;
        add r8 = r8, in0
        ;;
        mov cr.itm = r8
        ;;
        srlz.d
        ;;
        mov r9 = ar.itc
        ;;
        cmp.geu p6, p0 = r9, r8
(p6)    br.cond.spnt.few again
        br.ret.sptk.many b0
        .endp start_timer

        .bss
        .align 8
pal_entry: .skip 8
