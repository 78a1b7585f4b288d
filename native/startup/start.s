// The start of a guest of ours, up to its main. Entered as Linux/ia64 is: physical mode, interrupts off, r28 = boot parameters.

        .include "machine.inc"

        .text
        .global _start
        .proc _start
_start:
        rsm psr.i | psr.ic
        mov ar.rsc = 0                  // the register stack engine stays idle until it has memory
        ;;
        srlz.i
        ;;
        loadrs                          // nothing that firmware left in the register stack is wanted
        ;;
        movl r2 = boot_parameters - PHYSICAL_OFFSET
        ;;
        st8 [r2] = r28

        // Regions 5 (the kernel) and 6 (the I/O ports).
        movl r2 = 5 << 61
        movl r3 = 0x500 | RR_PAGE
        movl r8 = 6 << 61
        movl r9 = 0x600 | RR_PAGE
        ;;
        mov rr[r2] = r3
        mov rr[r8] = r9
        ;;
        srlz.i
        ;;

        // The image, for instructions and data.
        movl r2 = VIRTUAL
        mov r3 = IMAGE_PAGE << 2
        movl r8 = PHYSICAL | PTE_WB | PTE_ED
        mov r9 = 0
        ;;
        mov cr.ifa = r2
        mov cr.itir = r3
        ;;
        itr.i itr[r9] = r8
        ;;
        itr.d dtr[r9] = r8
        ;;

        // The I/O ports.
        movl r2 = PORT_VIRTUAL
        mov r3 = PORT_PAGE << 2
        movl r8 = PORT_SPACE | PTE_UC
        mov r9 = 1
        ;;
        mov cr.ifa = r2
        mov cr.itir = r3
        ;;
        itr.d dtr[r9] = r8
        ;;
        srlz.i
        ;;

        movl r2 = interruption_vectors
        movl r3 = DCR_DM
        movl r8 = FPSR_DEFAULT
        movl r9 = register_stack
        ;;
        mov cr.iva = r2
        mov cr.dcr = r3
        mov ar.fpsr = r8
        mov ar.bspstore = r9
        ;;
        srlz.i
        ;;

        // To virtual mode, with an empty register frame.
        movl r2 = PSR_IC | PSR_DT | PSR_RT | PSR_IT | PSR_BN
        movl r3 = virtual_start
        movl r8 = 1 << 63
        movl r12 = memory_stack_end - 16
        ;;
        mov cr.ipsr = r2
        mov cr.iip = r3
        mov cr.ifs = r8
        ;;
        rfi
        ;;
virtual_start:
        mov ar.rsc = 3                  // eager, little-endian
        movl r1 = __gp                  // for what a compiler made
        ;;
        br.call.sptk.many b0 = main
        ;;
        br.call.sptk.many b0 = power_off
        .endp _start

// Leaves for EFI's ResetSystem. EFI knows physical addresses only, since nobody called SetVirtualAddressMap.
        .global power_off
        .proc power_off
power_off:
        rsm psr.i | psr.ic
        mov ar.rsc = 0
        ;;
        srlz.i
        flushrs
        ;;
        movl r2 = register_stack - PHYSICAL_OFFSET
        movl r3 = physical_power_off - PHYSICAL_OFFSET
        movl r8 = 1 << 63
        movl r9 = PSR_BN
        movl r12 = memory_stack_end - 16 - PHYSICAL_OFFSET
        ;;
        mov ar.bspstore = r2
        mov cr.ipsr = r9
        mov cr.iip = r3
        mov cr.ifs = r8
        ;;
        rfi
        ;;
physical_power_off:
        alloc r2 = ar.pfs, 0, 0, 4, 0
        movl r3 = boot_parameters - PHYSICAL_OFFSET
        ;;
        ld8 r3 = [r3]
        ;;
        add r3 = BOOT_EFI_SYSTEM_TABLE, r3
        ;;
        ld8 r3 = [r3]
        ;;
        add r3 = EFI_RUNTIME_SERVICES, r3
        ;;
        ld8 r3 = [r3]
        ;;
        add r3 = EFI_RESET_SYSTEM, r3
        ;;
        ld8 r3 = [r3]                   // a function descriptor: entry point, global pointer
        mov out0 = EFI_RESET_SHUTDOWN
        mov out1 = 0
        ;;
        ld8 r8 = [r3], 8
        mov out2 = 0
        mov out3 = 0
        ;;
        ld8 r1 = [r3]
        mov b6 = r8
        ;;
        br.call.sptk.many b0 = b6
        ;;
stay:   br.sptk.many stay               // EFI does not come back
        .endp power_off

        .bss
        .global boot_parameters
        .align 16
boot_parameters: .skip 16
        .align 64
register_stack: .skip 0x10000
memory_stack: .skip 0x4000
memory_stack_end:
