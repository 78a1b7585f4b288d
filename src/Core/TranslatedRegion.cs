using FastXen.Core.Decode;
using FastXen.Core.Translate;

namespace FastXen.Core;

/// <summary>A region of guest code that was translated, and its host code. Good only during the call that it was given to.</summary>
public sealed unsafe class TranslatedRegion
{
    private readonly RegionState* region;
    private readonly RegionPlan plan;

    internal TranslatedRegion(RegionState* region, RegionPlan plan)
    {
        this.region = region;
        this.plan = plan;
    }

    /// <summary>Address of the first bundle.</summary>
    public ulong Ip => region->Ip & ~0xFUL;

    /// <summary>First slot.</summary>
    public int Slot => (int)region->Ip & 3;

    /// <summary>Physical address of the code page.</summary>
    public ulong PhysicalPage => region->CodePa;

    /// <summary>CFM for which the code was made.</summary>
    public ulong Cfm => region->Cfm;

    /// <summary>Privilege level for which the code was made.</summary>
    public int Cpl => (int)(region->Context & TranslationContext.CplMask) >> TranslationContext.CplShift;

    /// <summary>Instruction slots.</summary>
    public int Slots => region->Slots;

    /// <summary>Where the host code runs.</summary>
    public nint HostAddress => (nint)region->Entry;

    /// <summary>The host code.</summary>
    public ReadOnlySpan<byte> HostCode => new(region->Entry, region->HostBytes);

    /// <summary>True when a bundle is among the region's.</summary>
    public bool Contains(ulong address)
    {
        if (address - region->CodeVa >= 2 * 4096)
            return false;
        int first = (int)(address - region->CodeVa >> 4) * 3;
        for (int b = 0; b < plan.BlockCount; b++)
        {
            if (first + 2 >= plan.Blocks[b].First && first < plan.Blocks[b].End)
                return true;
        }

        return false;
    }

    /// <summary>A name for tools, unlike that of other addresses.</summary>
    public string Name => Slot == 0 ? $"guest_{Ip:x}" : $"guest_{Ip:x}_{Slot}";

    /// <summary>The bundles of each block, as the disassembler writes them.</summary>
    public IEnumerable<string> DescribeGuest()
    {
        var lines = new List<string>();
        for (int b = 0; b < plan.BlockCount; b++)
        {
            Block block = plan.Blocks[b];
            lines.Add(Head(block));
            for (int bundle = block.First / 3; bundle <= (block.End - 1) / 3; bundle++)
            {
                ulong* words = plan.Bundle(bundle);
                ulong address = region->CodeVa + (uint)bundle * 16;
                string[] slots = Disassembler.FormatBundle(words[0], words[1], address);
                lines.AddRange(slots.Select((line, slot) => $"{(slot == 0 ? $"{address:x16}" : ""),16}  {line}"));
            }
        }

        return lines;
    }

    /// <summary>The intermediate representation of each block.</summary>
    public IEnumerable<string> DescribeIr()
    {
        var lines = new List<string>();
        for (int b = 0; b < plan.BlockCount; b++)
        {
            Block block = plan.Blocks[b];
            lines.Add(Head(block));
            for (int k = block.FirstIr; k < block.EndIr; k++)
                lines.Add($"{Address(plan.Ir[k].Slot)}  {IrText.Format(plan.Ir[k])}");
        }

        return lines;
    }

    private string Head(in Block block) => $"block {Address(block.First)}{(block.Depth != 0 ? $", in {block.Depth} loops" : "")}:";

    private string Address(int slot) => $"{region->CodeVa + ((uint)slot / 3 * 16):x16}.{slot % 3}";
}
