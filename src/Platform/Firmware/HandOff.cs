using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Platform.Firmware;

/// <summary>Puts a processor into the state in which firmware hands it over: physical mode, an empty frame, interruptions and their collection off.</summary>
internal static unsafe class HandOff
{
    /// <summary>
    /// Sets processor <paramref name="number"/> to <paramref name="entry"/>, from the reset state or in a firmware service of its own that returns by
    /// <see cref="FirmwareReturn.Jump"/>. b0 leads to <paramref name="returnsTo"/>.
    /// </summary>
    public static void Enter(Vcpu processor, int number, ulong entry, FirmwareService returnsTo)
    {
        VcpuState* s = processor.State;
        ulong stack = FirmwareLayout.Stack(number);
        ProcessorStatus.Set(s, Psr.Bn);
        Rse.ClearRotation(s);
        Rse.SetFrameSize(s, 0);
        Alat.Clear(s);
        s->Dirty = 0;
        s->Ar[Ar.Rsc] = 0;
        s->BspStore = stack;
        s->Rnat = 0;
        s->Ip = entry;
        s->Slot = 0;
        s->FetchVa = CodePage.NoAddress;
        s->Cr[Cr.Iva] = FirmwareLayout.VectorTable;
        s->Cr[Cr.Lid] = MachineMap.Lid(number);
        s->Br[0] = FirmwareLayout.Entry(returnsTo);
        Registers.SetGr(s, 12, stack + FirmwareLayout.StackSize - 16);
        AddressSpace.SelectMode(s);
    }
}
