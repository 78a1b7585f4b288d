using System.Text;
using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Platform.Firmware.Pal;

/// <summary>
/// The processor abstraction layer (manual volume 2, chapter 11) with the answers of an Itanium 2 9000 series processor. Procedures below 256 take
/// r29-r31, the others in1-in3; all return status and three values in r8-r11.
/// </summary>
internal sealed class PalServices(PhysicalMemory memory, IReadOnlyList<Vcpu> processors)
{
    private const ulong FirstStacked = 256;
    private const ulong CopySize = 0x1000;
    private const int MaxCopies = 64;
    private const string Brand = "Intel(R) Itanium(R) 2 Processor 9000 series (FastXen)";

    // Per processor: what PAL_MC_EXPECTED last set. Indexed by the processor's number.
    private readonly ulong[] machineCheckExpected = new ulong[processors.Count];
    private readonly Lock gate = new();
    private volatile ulong[] copies = [];

    /// <summary>True for an address in a copy of PAL that PAL_COPY_PAL made.</summary>
    public bool IsCopy(ulong address)
    {
        foreach (ulong copy in copies)
        {
            if (address - copy < CopySize)
                return true;
        }
        return false;
    }

    /// <summary>Performs the procedure that r28 names.</summary>
    public FirmwareReturn Call(ServiceCall call)
    {
        ulong index = call.Static(28);
        bool stacked = index is >= FirstStacked and < 2 * FirstStacked;
        if (stacked)
            Perform(call, index, call.In(1), call.In(2), call.In(3));
        else
            Perform(call, index, call.Static(29), call.Static(30), call.Static(31));
        return stacked ? FirmwareReturn.Return : FirmwareReturn.Branch;
    }

    private void Perform(ServiceCall call, ulong index, ulong a1, ulong a2, ulong a3)
    {
        switch ((PalProcedure)index)
        {
            case PalProcedure.CacheFlush:
                if (a1 is < 1 or > 4 || a2 > 3)
                {
                    call.Result(PalStatus.InvalidArgument);
                    break;
                }
                if (a1 != 2)
                    call.Vcpu.FlushTranslations();
                call.Result(PalStatus.Success);
                break;
            case PalProcedure.CacheInfo:
                if (PalCache.Find(a1, a2) is { } cache)
                    call.Result(PalStatus.Success, cache.Info1, cache.Info2);
                else
                    call.Result(PalStatus.InvalidArgument);
                break;
            case PalProcedure.CacheProtInfo:
                if (PalCache.Find(a1, a2) is { } guarded)
                    call.Result(PalStatus.Success, guarded.Protection(tag: false) | (ulong)guarded.Protection(tag: true) << 32);
                else
                    call.Result(PalStatus.InvalidArgument);
                break;
            case PalProcedure.CacheSummary:
                call.Result(PalStatus.Success, PalCache.Levels, (ulong)PalCache.All.Length);
                break;
            case PalProcedure.CacheSharedInfo:
                if (PalCache.Find(a1, a2) is null || a3 != 0)
                    call.Result(PalStatus.InvalidArgument);
                else
                    call.Result(PalStatus.Success, 1, 0, LocalAddress(call.Vcpu));
                break;
            case PalProcedure.CacheLineInit:
                call.Result(CacheLineInit(a1, a2));
                break;
            case PalProcedure.MemAttrib:
                call.Result(PalStatus.Success, 0xf1); // WB, UC, UCE, WC, NaTPage
                break;
            case PalProcedure.PtceInfo:
                call.Result(PalStatus.Success, 0, 1ul << 32 | 1, 0);
                break;
            case PalProcedure.VmInfo:
                VmInfo(call, a1, a2);
                break;
            case PalProcedure.VmSummary:
                call.Result(PalStatus.Success, VmSummary1, VmSummary2);
                break;
            case PalProcedure.VmPageSize:
                call.Result(PalStatus.Success, PageSizes.Implemented, PageSizes.Implemented);
                break;
            case PalProcedure.VmTrRead:
                VmTrRead(call, a1, a2, a3);
                break;
            case PalProcedure.DebugInfo:
                call.Result(PalStatus.Success, MmuState.DebugPairs, MmuState.DebugPairs);
                break;
            case PalProcedure.FixedAddr:
                call.Result(PalStatus.Success, (ulong)NumberOf(call.Vcpu));
                break;
            case PalProcedure.FreqBase:
                call.Result(PalStatus.Success, MachineMap.BaseFrequency);
                break;
            case PalProcedure.FreqRatios:
                call.Result(PalStatus.Success, Ratio(MachineMap.ProcessorFrequency), Ratio(MachineMap.BaseFrequency), Ratio(MachineMap.ItcFrequency));
                break;
            case PalProcedure.PerfMonInfo:
                PerfMonInfo(call, a1);
                break;
            case PalProcedure.PlatformAddr:
                // Neither the interrupt block nor the port space can be moved.
                call.Result(a1 > 1 ? PalStatus.InvalidArgument
                    : a2 == (a1 == 0 ? MachineMap.LocalSapic : MachineMap.PortSpace) ? PalStatus.Success : PalStatus.Error);
                break;
            case PalProcedure.ProcGetFeatures:
                call.Result(a2 == 0 ? PalStatus.Success : PalStatus.FeatureSetUnsupported); // no feature is configurable
                break;
            case PalProcedure.RseInfo:
                call.Result(PalStatus.Success, 96, 0);
                break;
            case PalProcedure.Version:
                const ulong version = 0x69ul | 0x05 << 8 | 0x01 << 24 | 0x37ul << 32 | 0x05ul << 40;
                call.Result(PalStatus.Success, version, version);
                break;
            case PalProcedure.McExpected:
                call.Result(PalStatus.Success, Interlocked.Exchange(ref machineCheckExpected[NumberOf(call.Vcpu)], a1 & 1));
                break;
            case PalProcedure.McErrorInfo:
                call.Result(a1 > 7 ? PalStatus.InvalidArgument : PalStatus.NoInformation);
                break;
            case PalProcedure.McResume:
                call.Result(PalStatus.Error); // nothing to resume: no machine check was handed over
                break;
            case PalProcedure.McRegisterMem:
                call.Result((a1 & 0x1ff) != 0 ? PalStatus.InvalidArgument : PalStatus.Success, 0x1000);
                break;
            case PalProcedure.Halt:
                if (a1 == 0)
                    goto case PalProcedure.HaltLight;
                if (a1 == 1)
                    call.Vcpu.RequestStop(VcpuStop.Halted);
                call.Result(a1 == 1 ? PalStatus.Success : PalStatus.InvalidArgument);
                break;
            case PalProcedure.HaltLight:
                call.Vcpu.WaitForInterrupt();
                call.Result(PalStatus.Success);
                break;
            case PalProcedure.HaltInfo:
                HaltInfo(call, a1);
                break;
            case PalProcedure.Shutdown:
                call.Vcpu.RequestStop(VcpuStop.Halted);
                call.Result(PalStatus.Success);
                break;
            case PalProcedure.CopyInfo:
                call.Result(PalStatus.Success, CopySize, CopySize);
                break;
            case PalProcedure.CopyPal:
                call.Result(CopyPal(a1, a2));
                break;
            case PalProcedure.RegisterInfo:
                RegisterInfo(call, a1);
                break;
            case PalProcedure.PrefetchVisibility:
                call.Result(a1 <= 1 ? 1 : PalStatus.InvalidArgument); // 1: no call on other processors is needed
                break;
            case PalProcedure.LogicalToPhysical:
                // One thread on one core in each package.
                if (a1 is 0 or ulong.MaxValue)
                    call.Result(PalStatus.Success, 1ul | 1ul << 16 | 1ul << 32 | (ulong)NumberOf(call.Vcpu) << 48, 0, LocalAddress(call.Vcpu));
                else
                    call.Result(PalStatus.InvalidArgument);
                break;
            case PalProcedure.TestProc:
                call.Result(PalStatus.Success, 1); // healthy
                break;
            case PalProcedure.GetPstate:
                call.Result(a1 <= 3 ? PalStatus.Success : PalStatus.InvalidArgument, 100); // P0, 100 per cent
                break;
            case PalProcedure.SetPstate:
                call.Result(a1 == 0 ? PalStatus.Success : PalStatus.InvalidArgument);
                break;
            case PalProcedure.BrandInfo:
                BrandInfo(call, a1, a2);
                break;
            // These have nothing to do: memory is coherent, no error is pending, no feature can be changed, no test is needed.
            case PalProcedure.CacheInit:
            case PalProcedure.BusGetFeatures:
            case PalProcedure.BusSetFeatures:
            case PalProcedure.ProcSetFeatures:
            case PalProcedure.McClearLog:
            case PalProcedure.McDrain:
            case PalProcedure.McDynamicState:
            case PalProcedure.PmiEntrypoint:
            case PalProcedure.MemForTest:
                call.Result(PalStatus.Success);
                break;
            default:
                call.Result(PalStatus.Unimplemented);
                break;
        }
    }

    // vw, physical bits 50, key bits, last PKR, hash tag 2, last DTR and ITR, 4 unique TCs in 2 levels.
    private static ulong VmSummary1 => 1ul | 50 << 1 | MmuState.RidBits << 8 | (MmuState.PkrCount - 1) << 16 | 2ul << 24
        | LastTranslationRegister << 32 | LastTranslationRegister << 40 | 4ul << 48 | 2ul << 56;

    // All 61 virtual address bits, RID bits, any number of global purges at a time.
    private static ulong VmSummary2 => 60ul | MmuState.RidBits << 8 | 0xfffful << 16;

    private const ulong LastTranslationRegister = TranslationRegisters.Slots - 1;

    private static void VmInfo(ServiceCall call, ulong level, ulong type)
    {
        if (level > 1 || type is < 1 or > 2)
        {
            call.Result(PalStatus.InvalidArgument);
            return;
        }
        ulong entries = level == 0 ? 32ul : 128;
        ulong reducedByTranslationRegisters = level == 0 ? 0 : 1ul << 34;
        call.Result(PalStatus.Success, 1 | entries << 8 | entries << 16 | reducedByTranslationRegisters, level == 0 ? 1ul << PageSizes.Smallest : PageSizes.Implemented);
    }

    // The translation's words as itr took them: PTE, ITIR, IFA with "valid" in bit 0, region register.
    private static unsafe void VmTrRead(ServiceCall call, ulong number, ulong type, ulong buffer)
    {
        MmuState* mmu = call.Vcpu.State->Mmu;
        if (number > LastTranslationRegister || type > 1)
        {
            call.Result(PalStatus.InvalidArgument);
            return;
        }
        Span<byte> words = stackalloc byte[32];
        words.Clear();
        if (TranslationRegisters.Read(type == 0 ? &mmu->Itr : &mmu->Dtr, (int)number) is { } entry)
        {
            BitConverter.TryWriteBytes(words, entry.Pte.Value);
            BitConverter.TryWriteBytes(words[8..], (ulong)entry.Key << 8 | (ulong)entry.Shift << 2);
            BitConverter.TryWriteBytes(words[16..], entry.Offset | 1);
            BitConverter.TryWriteBytes(words[24..], (ulong)entry.Rid << 8);
        }
        const ulong allFieldsValid = 0xf;
        call.Result(call.Vcpu.TryWrite(buffer, words) ? PalStatus.Success : PalStatus.InvalidArgument, allFieldsValid);
    }

    private static void PerfMonInfo(ServiceCall call, ulong buffer)
    {
        // Four 32-byte masks: PMCs, PMDs, those that count cycles, those that count retired instructions.
        const ushort counters = (1 << PerformanceMonitors.End) - (1 << PerformanceMonitors.First);
        Span<byte> masks = stackalloc byte[128];
        masks.Clear();
        BitConverter.TryWriteBytes(masks, (ushort)(counters | (1 << PerformanceMonitors.First) - 1));
        BitConverter.TryWriteBytes(masks[32..], counters);
        BitConverter.TryWriteBytes(masks[64..], counters);
        BitConverter.TryWriteBytes(masks[96..], counters);
        if ((buffer & 7) != 0 || !call.Vcpu.TryWrite(buffer, masks))
            call.Result(PalStatus.InvalidArgument);
        else
            call.Result(PalStatus.Success, (ulong)(PerformanceMonitors.End - PerformanceMonitors.First) | PerformanceMonitors.Width << 8
                | PerformanceMonitors.Cycles << 16 | PerformanceMonitors.InstructionsRetired << 24);
    }

    private static void HaltInfo(ServiceCall call, ulong buffer)
    {
        // Eight 8-byte entries: latencies, power in milliwatts, bit 60 implemented, bit 61 coherent. 0 is the light halt, 1 the halt.
        Span<byte> states = stackalloc byte[64];
        states.Clear();
        BitConverter.TryWriteBytes(states, 1ul | 1 << 16 | 20_000ul << 32 | 3ul << 60);
        BitConverter.TryWriteBytes(states[8..], 1000ul | 1000 << 16 | 1_000ul << 32 | 1ul << 60);
        call.Result((buffer & 7) == 0 && call.Vcpu.TryWrite(buffer, states) ? PalStatus.Success : PalStatus.InvalidArgument);
    }

    private static void BrandInfo(ServiceCall call, ulong request, ulong buffer)
    {
        Span<byte> text = stackalloc byte[128];
        text.Clear();
        int length = Encoding.ASCII.GetBytes(Brand, text);
        if (request != 0 || !call.Vcpu.TryWrite(buffer, text))
            call.Result(PalStatus.InvalidArgument);
        else
            call.Result(PalStatus.Success, (ulong)length);
    }

    private static void RegisterInfo(ServiceCall call, ulong request)
    {
        static ulong Bits(params ReadOnlySpan<int> numbers)
        {
            ulong mask = 0;
            foreach (int number in numbers)
                mask |= 1ul << (number & 63);
            return mask;
        }
        switch (request)
        {
            case 0: // implemented application registers
                call.Result(PalStatus.Success,
                    0xff | Bits(Ar.Rsc, Ar.Bsp, Ar.BspStore, Ar.Rnat, Ar.Fcr, Ar.Eflag, Ar.Csd, Ar.Ssd, Ar.Cflg, Ar.Fsr, Ar.Fir, Ar.Fdr, Ar.Ccv, Ar.Unat, Ar.Fpsr, Ar.Itc),
                    Bits(Ar.Pfs, Ar.Lc, Ar.Ec));
                break;
            case 2: // implemented control registers
                call.Result(PalStatus.Success,
                    Bits(Cr.Dcr, Cr.Itm, Cr.Iva, Cr.Pta, Cr.Ipsr, Cr.Isr, Cr.Iip, Cr.Ifa, Cr.Itir, Cr.Iipa, Cr.Ifs, Cr.Iim, Cr.Iha),
                    Bits(Cr.Lid, Cr.Ivr, Cr.Tpr, Cr.Eoi, Cr.Irr0, Cr.Irr0 + 1, Cr.Irr0 + 2, Cr.Irr3, Cr.Itv, Cr.Pmv, Cr.Cmcv, Cr.Lrr0, Cr.Lrr1));
                break;
            case 1: // application registers whose read has side effects
                call.Result(PalStatus.Success);
                break;
            case 3: // control registers whose read has side effects
                call.Result(PalStatus.Success, 0, Bits(Cr.Ivr));
                break;
            default:
                call.Result(PalStatus.InvalidArgument);
                break;
        }
    }

    private long CacheLineInit(ulong address, ulong value)
    {
        const int line = 128;
        address &= ~(ulong)(line - 1);
        if (!memory.TryGetSpan(address, line, out Span<byte> span))
            return PalStatus.InvalidArgument;
        for (int i = 0; i < line; i += 8)
            BitConverter.TryWriteBytes(span[i..], value);
        memory.NotifyWritten(address, line);
        return PalStatus.Success;
    }

    private long CopyPal(ulong target, ulong size)
    {
        if ((target & (CopySize - 1)) != 0 || size < CopySize || !memory.TryGetSpan(target, (int)CopySize, out Span<byte> span))
            return PalStatus.InvalidArgument;
        lock (gate)
        {
            if (!copies.Contains(target))
            {
                if (copies.Length == MaxCopies)
                    return PalStatus.Error;
                copies = [.. copies, target];
            }
        }
        EntryBundle.Encode(FirmwareService.Pal).CopyTo(span);
        memory.NotifyWritten(target, CopySize);
        return PalStatus.Success;
    }

    /// <summary>Index of a processor, 0 for the boot processor.</summary>
    public int NumberOf(Vcpu vcpu)
    {
        for (int i = 0; i < processors.Count; i++)
        {
            if (processors[i] == vcpu)
                return i;
        }
        throw new InvalidOperationException("a vCPU called firmware that it was not attached to");
    }

    // The logical address: id and eid of the processor's LID.
    private ulong LocalAddress(Vcpu vcpu) => MachineMap.Lid(NumberOf(vcpu)) >> 16;

    private static ulong Ratio(ulong frequency) => frequency / MachineMap.BaseFrequency << 32 | 1;
}
