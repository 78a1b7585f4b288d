using System.Runtime.InteropServices;

namespace FastXen.Perf.Measure;

/// <summary>
/// Counts the instructions that processes started by this thread execute in user mode, from their exec on: perf_event_open(2).
/// Processors in virtual machines often have no such counter, and containers often forbid the call.
/// </summary>
internal sealed unsafe partial class HostInstructionCounter : IDisposable
{
    private const int PerfEventOpen = 298;
    // Bits of perf_event_attr: disabled, inherit, exclude_kernel, exclude_hv, enable_on_exec.
    private const ulong Flags = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 12;
    private readonly int _file;

    private HostInstructionCounter(int file) => _file = file;

    // struct perf_event_attr, its first published size.
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Attributes
    {
        public uint Type, Size;
        public ulong Configuration, SamplePeriod, SampleType, ReadFormat, Flags;
    }

    /// <summary>Opens the counter; null where the host has none or does not permit it.</summary>
    public static HostInstructionCounter? Open()
    {
        // Type 0, configuration 1: the hardware's count of instructions.
        Attributes attributes = new() { Type = 0, Size = 64, Configuration = 1, Flags = Flags };
        int file = (int)SystemCall(PerfEventOpen, &attributes, 0, -1, -1, 0);
        return file >= 0 ? new HostInstructionCounter(file) : null;
    }

    /// <summary>The count of all processes that have ended.</summary>
    public ulong Read()
    {
        ulong count;
        return ReadFile(_file, &count, sizeof(ulong)) == sizeof(ulong) ? count : throw new IOException("the instruction counter cannot be read");
    }

    /// <summary>Closes the counter.</summary>
    public void Dispose() => _ = CloseFile(_file);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, Attributes* attributes, long process, long cpu, long group, ulong flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadFile(int file, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int file);
}
