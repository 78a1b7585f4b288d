using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>rfi of a paravirtualized kernel, as hyperprivop and as the instruction.</summary>
internal static unsafe class InterruptionReturn
{
    /// <summary>Returns to what the shared registers say.</summary>
    public static int Return(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        MappedRegisters* x = p->Registers;
        ulong ipsr = x->Ipsr, ifs = x->Ifs;
        s->LastIp = CodePosition.Bundle(s, i);
        VirtualPsr.Share(s, p, ipsr);
        // Kernels return with bn 1, and have the registers of that bank in memory when bank 0 is theirs.
        Banks.SelectOne(s, p);
        s->Ip = x->Iip & ~0xFUL;
        // Slot 3 does not exist.
        s->Slot = Math.Min((int)(ipsr >> Psr.RiShift) & 3, 2);
        VirtualPsr.Set(s, ipsr);
        if (ifs >> 63 != 0)
        {
            ulong cfm = ifs & FrameMarker.Mask;
            Rse.Return(s, cfm, FrameMarker.Sof(cfm));
        }
        else if (s->AlatValid != 0)
        {
            Alat.ForgetRenamed(s);
        }

        // A fault of the frame's loads is delivered first, and masks events.
        if (s->Dirty < 0)
            _ = RseMemory.CompleteFrame(s);
        Reflection.DeliverEvents(s);
        return Step.Redirect;
    }
}
