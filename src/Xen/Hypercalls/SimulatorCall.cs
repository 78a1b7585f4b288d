using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Xen.Console;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>
/// Calls of HP's simulator, which Xen/ia64 answers for the kernels of its guests (hpsim_ssc.h, <c>SSC_*</c>): XenLinux writes its first messages by them. The number is
/// in r36, the argument in r32, the result in r8.
/// </summary>
internal static unsafe class SimulatorCall
{
    private const ulong GetCharacter = 21, PutCharacter = 31;
    private const ulong First = 0x80001, Last = 0x80002;
    private const int Number = 36, Argument = 32;

    /// <summary>True for the immediate of a break that is such a call.</summary>
    public static bool Is(ulong immediate) => immediate is First or Last;

    /// <summary>Does the call of the break <paramref name="i"/>.</summary>
    public static int Do(VcpuState* s, Instruction* i)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        IHypervisorConsole? console = ParavirtualVcpu.Of(p).Machine.Configuration.Console;
        // Disks and networks are not simulated here: they are not found.
        long result = -1;
        switch (s->FrameBase[Number])
        {
            case PutCharacter:
                console?.Write([(byte)s->FrameBase[Argument]]);
                result = 0;
                break;
            case GetCharacter:
                Span<byte> typed = stackalloc byte[1];
                result = console?.Read(typed) > 0 ? typed[0] : 0;
                break;
        }

        Registers.SetGr(s, 8, (ulong)result);
        return Hypercall.Finish(s, p, i);
    }
}
