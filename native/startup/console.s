// Printing through the UART.

        .include "machine.inc"

        .text

// print_character(character)
        .global print_character
        .proc print_character
print_character:
        alloc r2 = ar.pfs, 1, 0, 0, 0
        movl r3 = UART_STATUS
        movl r8 = UART_DATA
        ;;
busy:   ld1.acq r9 = [r3]
        ;;
        tbit.z p6, p7 = r9, UART_READY_BIT
(p6)    br.cond.spnt.few busy
        ;;
        st1.rel [r8] = in0
        br.ret.sptk.many b0
        .endp print_character

// print(text): a text that ends with a zero byte.
        .global print
        .proc print
print:  alloc loc0 = ar.pfs, 1, 3, 1, 0
        mov loc1 = b0
        mov loc2 = in0
        ;;
next:   ld1 out0 = [loc2], 1
        ;;
        cmp.eq p6, p7 = 0, out0
(p6)    br.cond.spnt.few printed
        br.call.sptk.many b0 = print_character
        ;;
        br.sptk.few next
        ;;
printed:
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp print

// print_hex(number): "0x" and 16 digits.
        .global print_hex
        .proc print_hex
print_hex:
        alloc loc0 = ar.pfs, 1, 3, 1, 0
        mov loc1 = b0
        movl out0 = text_0x
        ;;
        br.call.sptk.many b0 = print
        ;;
        mov loc2 = 60
        ;;
digit:  shr.u r8 = in0, loc2
        movl r9 = digits
        ;;
        and r8 = 15, r8
        ;;
        add r9 = r8, r9
        ;;
        ld1 out0 = [r9]
        br.call.sptk.many b0 = print_character
        ;;
        add loc2 = -4, loc2
        ;;
        cmp.le p6, p7 = 0, loc2
(p6)    br.cond.sptk.few digit
        ;;
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp print_hex

// print_decimal(number): a number below 10^10, by subtraction of powers of ten.
        .global print_decimal
        .proc print_decimal
print_decimal:
        alloc loc0 = ar.pfs, 1, 6, 1, 0
        mov loc1 = b0
        mov loc2 = in0
        movl loc3 = powers_of_ten
        mov loc4 = 0                    // whether a digit has been printed
        ;;
power:  ld8 loc5 = [loc3], 8
        mov out0 = '0'
        ;;
count:  cmp.geu p6, p7 = loc2, loc5
        ;;
(p6)    sub loc2 = loc2, loc5
(p6)    add out0 = 1, out0
(p6)    br.cond.sptk.few count
        ;;
        // Zeros in front are left out, but not the last digit.
        cmp.ne p6, p7 = '0', out0
        cmp.eq p8, p9 = 1, loc5
        ;;
(p6)    mov loc4 = 1
        ;;
(p8)    mov loc4 = 1
        ;;
        cmp.eq p6, p7 = 0, loc4
(p6)    br.cond.spnt.few power
        br.call.sptk.many b0 = print_character
        ;;
        cmp.ne p6, p7 = 1, loc5
(p6)    br.cond.sptk.few power
        ;;
        mov b0 = loc1
        mov ar.pfs = loc0
        ;;
        br.ret.sptk.many b0
        .endp print_decimal

        .section .rodata
digits:  string "0123456789abcdef"
text_0x: stringz "0x"
        .align 8
powers_of_ten:
        data8 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1
