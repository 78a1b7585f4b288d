using System.Buffers.Binary;
using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

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

    /// <summary>Performs the call of its C interface.</summary>
    public static void Call(ServiceCall call)
    {
        Span<byte> bundle = stackalloc byte[16];
        if (!call.TryRead64(call.In(4), out ulong isr))
            call.Result(Failed, 1);
        else if (!NeedsAssist(call.In(0), isr, out long status))
            call.Result(status);
        else if (!call.Vcpu.TryRead(call.In(1), bundle) || !call.TryRead64(call.In(2), out ulong ipsr) || !call.TryRead64(call.In(3), out ulong fpsr)
            || !call.TryRead64(call.In(5), out ulong predicates) || !call.TryRead64(call.In(6), out ulong ifs) || FpswaBanks.Of(call, call.In(7)) is not { } banks)
            call.Result(Failed);
        else
            call.Result(Store(call, new FpswaState(BinaryPrimitives.ReadUInt64LittleEndian(bundle), BinaryPrimitives.ReadUInt64LittleEndian(bundle[8..]),
                ipsr, fpsr, isr, predicates, ifs), banks));
    }

    private static long Store(ServiceCall call, FpswaState state, FpswaBanks banks)
    {
        FpswaState before = state;
        long status = Assist(call.Vcpu.State, ref state, banks);
        return (state.Isr == before.Isr || call.TryWrite64(call.In(4), state.Isr))
            && (state.Ipsr == before.Ipsr || call.TryWrite64(call.In(2), state.Ipsr))
            && (state.Fpsr == before.Fpsr || call.TryWrite64(call.In(3), state.Fpsr))
            && (state.Predicates == before.Predicates || call.TryWrite64(call.In(5), state.Predicates)) ? status : Failed;
    }

    /// <summary>The call with all in its place: <paramref name="kind"/> is 1 for a fault, 0 for a trap. The status; <paramref name="state"/> is what the program goes on with.</summary>
    public static long Call(VcpuState* s, ulong kind, ref FpswaState state, FpswaBanks banks) =>
        NeedsAssist(kind, state.Isr, out long status) ? Assist(s, ref state, banks) : status;

    // Its two kinds: faults before an instruction, traps after one.
    private static bool NeedsAssist(ulong kind, ulong isr, out long status)
    {
        status = kind != FaultCall
            ? (isr & TrapBits) != 0 ? ExceptionRaised : Handled // the processor has written the result
            : ExceptionRaised; // an enabled V, D or Z
        return kind == FaultCall && (isr & AssistBits) != 0;
    }

    private static long Assist(VcpuState* s, ref FpswaState state, FpswaBanks banks)
    {
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle(state.BundleLow, state.BundleHigh, three);
        Instruction instruction = three[Math.Min((int)(state.Ipsr >> RiShift) & 3, 2)];
        bool squareRoot = instruction.Opcode == Opcode.Frsqrta;
        // Only these two ask for assistance; f0 and f1 as a target are illegal.
        if (!squareRoot && instruction.Opcode != Opcode.Frcpa || instruction.R1 < 2)
            return Failed;

        FpswaRegisters registers = new(s, state.Ifs, banks);
        if (!registers.TryRead(instruction.R2, out FloatRegister a) || !registers.TryRead(instruction.R3, out FloatRegister b))
            return Failed;
        FloatStatus status = new(state.Fpsr, instruction.Selector);
        FloatRegister result = squareRoot ? ExactResult.SquareRoot(b, ref status) : ExactResult.Quotient(a, b, ref status);
        if (status.Fault != 0)
        {
            state.Isr = state.Isr & ~CodeMask | status.Fault;
            return ExceptionRaised;
        }

        if (!registers.TryWrite(instruction.R1, result))
            return Failed;
        // The result is final: the predicate that says "refine the approximation" is cleared.
        state.Predicates = state.Predicates & ~(1ul << PhysicalPredicate(instruction.P2, state.Ifs)) | 1;
        state.Ipsr |= instruction.R1 < 32 ? Psr.Mfl : Psr.Mfh;
        state.Fpsr = FloatStatus.Merge(state.Fpsr, instruction.Selector, status.Flags);
        if (status.Trap == 0)
            return Handled;
        state.Isr = state.Isr & ~CodeMask | FloatPair.IsrTrapCode(status);
        return TrapRaised;
    }

    // mov from pr gives predicates by their physical numbers; p16-p63 rotate by IFS.rrb.pr.
    private static int PhysicalPredicate(int predicate, ulong ifs) =>
        predicate < 16 ? predicate : 16 + (predicate - 16 + ((int)(ifs >> 32) & 0x3f)) % 48;
}
