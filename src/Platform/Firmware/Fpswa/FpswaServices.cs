using System.Buffers.Binary;
using FastXen.Core.Decode;
using FastXen.Core.Float;

namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>
/// The floating-point software assist: <c>(trap_type, bundle, &amp;ipsr, &amp;fpsr, &amp;isr, &amp;preds, &amp;ifs, &amp;fp_state)</c>. Status in r8: 0 when the
/// instruction was completed, 1 when the exception in ISR is the program's, 3 when the instruction was completed and then raised a
/// trap that is the program's, -1 when the arguments make no sense.
/// </summary>
internal static unsafe class FpswaServices
{
    private const long Handled = 0, ExceptionRaised = 1, TrapRaised = 3, Failed = -1;

    private const ulong FaultCall = 1;
    private const ulong AssistBits = FloatFlags.SoftwareAssist | FloatFlags.SoftwareAssist << 4;
    private const ulong TrapBits = 0x7f80; // O, U, I, FPA of both halves
    private const ulong CodeMask = 0xffff;
    private const int RiShift = 41;

    /// <summary>Performs the call. Its two kinds: faults before an instruction, traps after one.</summary>
    public static void Call(ServiceCall call)
    {
        if (!call.TryRead64(call.In(4), out ulong isr))
            call.Result(Failed, 1);
        else if (call.In(0) != FaultCall)
            call.Result((isr & TrapBits) != 0 ? ExceptionRaised : Handled); // the processor has written the result
        else if ((isr & AssistBits) == 0)
            call.Result(ExceptionRaised); // an enabled V, D or Z
        else
            call.Result(Assist(call, isr));
    }

    private static long Assist(ServiceCall call, ulong isr)
    {
        Span<byte> bundle = stackalloc byte[16];
        if (!call.Vcpu.TryRead(call.In(1), bundle) || !call.TryRead64(call.In(2), out ulong ipsr) || !call.TryRead64(call.In(3), out ulong fpsr)
            || !call.TryRead64(call.In(5), out ulong predicates) || !call.TryRead64(call.In(6), out ulong ifs))
            return Failed;
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle(BinaryPrimitives.ReadUInt64LittleEndian(bundle), BinaryPrimitives.ReadUInt64LittleEndian(bundle[8..]), three);
        Instruction instruction = three[Math.Min((int)(ipsr >> RiShift) & 3, 2)];
        bool squareRoot = instruction.Opcode == Opcode.Frsqrta;
        // Only these two ask for assistance; f0 and f1 as a target are illegal.
        if (!squareRoot && instruction.Opcode != Opcode.Frcpa || instruction.R1 < 2)
            return Failed;

        FpswaRegisters registers = new(call, ifs);
        if (!registers.TryRead(instruction.R2, out FloatRegister a) || !registers.TryRead(instruction.R3, out FloatRegister b))
            return Failed;
        FloatStatus status = new(fpsr, instruction.Selector);
        FloatRegister result = squareRoot ? ExactResult.SquareRoot(b, ref status) : ExactResult.Quotient(a, b, ref status);
        if (status.Fault != 0)
            return call.TryWrite64(call.In(4), isr & ~CodeMask | status.Fault) ? ExceptionRaised : Failed;

        // The result is final: the predicate that says "refine the approximation" is cleared.
        ulong cleared = predicates & ~(1ul << PhysicalPredicate(instruction.P2, ifs)) | 1;
        if (!registers.TryWrite(instruction.R1, result)
            || !call.TryWrite64(call.In(2), ipsr | (instruction.R1 < 32 ? Core.State.Psr.Mfl : Core.State.Psr.Mfh))
            || !call.TryWrite64(call.In(3), FloatStatus.Merge(fpsr, instruction.Selector, status.Flags))
            || !call.TryWrite64(call.In(5), cleared))
            return Failed;
        if (status.Trap == 0)
            return Handled;
        return call.TryWrite64(call.In(4), isr & ~CodeMask | FloatPair.IsrTrapCode(status)) ? TrapRaised : Failed;
    }

    // mov from pr gives predicates by their physical numbers; p16-p63 rotate by IFS.rrb.pr.
    private static int PhysicalPredicate(int predicate, ulong ifs) =>
        predicate < 16 ? predicate : 16 + (predicate - 16 + ((int)(ifs >> 32) & 0x3f)) % 48;
}
