using FastXen.Core.Emit;

namespace FastXen.Core.Translate;

/// <summary>How a break goes on that host code has done.</summary>
internal enum BreakOutcome : byte
{
    /// <summary>Behind it.</summary>
    Behind,

    /// <summary>At the address in rdx: it has retired.</summary>
    Elsewhere,

    /// <summary>At the address in rdx: it was interrupted, and has not retired.</summary>
    Interrupted,
}

/// <summary>Host code that does a break.</summary>
internal readonly record struct FastBreak(nint Code, BreakOutcome Outcome);

/// <summary>
/// What a hypervisor does for its guest in host code, so that the commonest breaks do not leave translated code. Each piece is called with rbp = the state, rbx =
/// FrameBase, rdx = the break's address (low bits the slot); and where it interrupts, rdi = the break's immediate, rsi = the bundle that was executed
/// before it. No NaT is present, no guest register is in a host register, and the budget lasts beyond the break. It answers 0 in eax where the interpreter's handler is
/// to do the break: then it has changed nothing. Otherwise the break is done as the handler does it, and nothing has changed that the context is made of
/// (<see cref="TranslationContext"/>) but by <see cref="CodeArena.EnterContext"/>, nor any translation; rbx and the state's copy of it follow the frame. It may use all registers but rsp, rbp and r15.
/// </summary>
internal abstract class BreakCode
{
    /// <summary>Writes the code for one domain.</summary>
    public abstract void Emit(Assembler asm, CodeArena arena);

    /// <summary>True for a break whose handler neither reads nor writes predicates.</summary>
    public abstract bool KeepsPredicates(ulong immediate, int level);

    /// <summary>The code for a break of a privilege level; false where all such breaks are the handler's.</summary>
    public abstract bool TryFind(ulong immediate, int level, out FastBreak found);
}
