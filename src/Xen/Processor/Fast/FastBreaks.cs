using FastXen.Core.Emit;
using FastXen.Core.Translate;
using FastXen.Xen.Hypercalls;

namespace FastXen.Xen.Processor.Fast;

/// <summary>
/// The breaks of a paravirtualized domain that are done in host code, as <see cref="HypervisorEntry"/> does them: system calls of the guest, and the hyperprivops
/// that kernels execute most. Whatever is out of the ordinary is left to it.
/// </summary>
internal sealed unsafe class FastBreaks : BreakCode
{
    private readonly FastBreak[] _hyperprivops = new FastBreak[Hyperprivops.End];
    private FastBreak _kernels, _users;

    /// <inheritdoc/>
    public override void Emit(Assembler asm, CodeArena arena)
    {
        var code = new FastCode(asm, arena);
        _kernels = new FastBreak(FastReflection.Emit(code, ofKernel: true), BreakOutcome.Interrupted);
        _users = new FastBreak(FastReflection.Emit(code, ofKernel: false), BreakOutcome.Interrupted);
        _hyperprivops[0x01] = new FastBreak(FastReturn.Emit(code), BreakOutcome.Elsewhere);
        foreach ((int number, nint address) in FastOperations.Emit(code))
            _hyperprivops[number] = new FastBreak(address, BreakOutcome.Behind);
    }

    /// <inheritdoc/>
    public override bool TryFind(ulong immediate, int level, out FastBreak found)
    {
        found = default;
        if (level > ParavirtualState.KernelLevel)
            found = _users;
        else if (level == ParavirtualState.KernelLevel && !SimulatorCall.Is(immediate))
            found = IsHyperprivop(immediate, level) ? _hyperprivops[immediate] : _kernels;
        return found.Code != 0;
    }

    /// <inheritdoc/>
    // Hypercalls may save the processor, or set its registers; rfi and cover rename predicates.
    public override bool KeepsPredicates(ulong immediate, int level) => IsHyperprivop(immediate, level) && immediate is not (0x01 or 0x04);

    private static bool IsHyperprivop(ulong immediate, int level) => level == ParavirtualState.KernelLevel && immediate - 1 < Hyperprivops.End - 1;
}
