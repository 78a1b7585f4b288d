namespace FastXen.Mmu;

public sealed unsafe partial class PhysicalMemory
{
    public partial void AddRam(ulong start, ulong size) => throw new NotImplementedException();
    public partial void AddMmio(ulong start, ulong size, IMmioRegion region) => throw new NotImplementedException();
    public partial bool IsRam(ulong address, ulong length) => throw new NotImplementedException();
    public partial IMmioRegion? FindMmio(ulong address, out ulong offset) => throw new NotImplementedException();
    public partial bool TryGetSpan(ulong address, int length, out Span<byte> span) => throw new NotImplementedException();
    private partial void Reserve(ulong span) => throw new NotImplementedException();
    public partial void Dispose() => throw new NotImplementedException();
}
