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
    private FastBreak _reflection;

    /// <inheritdoc/>
    public override void Emit(Assembler asm)
    {
        var code = new FastCode(asm);
        _reflection = new FastBreak(FastReflection.Emit(code), BreakOutcome.Interrupted);
        _hyperprivops[0x01] = new FastBreak(FastReturn.Emit(code), BreakOutcome.Elsewhere);
        foreach ((int number, nint address) in FastOperations.Emit(code))
            _hyperprivops[number] = new FastBreak(address, BreakOutcome.Behind);
    }

    /// <inheritdoc/>
    public override bool TryFind(ulong immediate, int level, out FastBreak found)
    {
        found = default;
        // Those of other levels change the context.
        if (level == ParavirtualState.KernelLevel && !SimulatorCall.Is(immediate))
            found = immediate - 1 < Hyperprivops.End - 1 ? _hyperprivops[immediate] : _reflection;
        return found.Code != 0;
    }
}
