using System.Text.Json;
using static FastXen.EndToEnd.Tests.Bare.BareProgramTests;

namespace FastXen.EndToEnd.Tests.Bare;

/// <summary>Faults of the A and I units, from encoded instructions: vector, ISR and IIP.</summary>
public class IntegerFaultTests
{
    private const string GeneralException = "0x15400";
    private const string NatConsumption = "0x15600";

    [Theory]
    // (p6) cmp.eq.unc p7,p7=r0,r0 and (p6) tbit.z.unc p7,p7=r9,3: Illegal Operation although p6 is 0.
    [InlineData("c1380200073800000002000000000400", GeneralException, 0x0UL, 0)]
    [InlineData("0100000001807134240e280000000400", GeneralException, 0x0UL, 1)]
    // add r40=r8,r9 outside of the frame, add r0=r8,r9.
    [InlineData("01402112002000000002000000000400", GeneralException, 0x0UL, 0)]
    [InlineData("01002012002000000002000000000400", GeneralException, 0x0UL, 0)]
    // mov b1=r9 and mov pr=r9,-1 with a NaT.
    [InlineData("01000000010010480480030000000400", NatConsumption, 0x10UL, 1)]
    [InlineData("010000000100f04fc0bf050000000400", NatConsumption, 0x10UL, 1)]
    // mov.i ar.ccv=r9: the register belongs to the M unit.
    [InlineData("01000000010000488054000000000400", GeneralException, 0x0UL, 1)]
    // mov.i ar.pfs=r9 with a NaT.
    [InlineData("01000000010000480055000000000400", NatConsumption, 0x10UL, 1)]
    public void Fault(string bundle, string vector, ulong code, int slot)
    {
        JsonElement end = Run(bundle, "\"nat\":[9]", vector);
        Assert.True(end.GetProperty("reached").GetBoolean());
        Assert.Equal("0x1000", end.GetProperty("cr").GetProperty("iip").GetString());
        Assert.Equal($"0x{code | (ulong)slot << 41:x}", end.GetProperty("cr").GetProperty("isr").GetString());
        Assert.Equal($"0x{0x2000UL | (ulong)slot << 41:x}", end.GetProperty("cr").GetProperty("ipsr").GetString());
    }

    [Fact]
    public void Reserved_fields_of_pfs_fault()
    {
        JsonElement end = Run("01000000010000480055000000000400", "\"gr\":{\"9\":\"0x4000000000\"}", GeneralException);
        Assert.True(end.GetProperty("reached").GetBoolean());
        Assert.Equal("0x20000000030", end.GetProperty("cr").GetProperty("isr").GetString());
    }

    [Fact]
    public void Equal_targets_of_a_plain_compare_do_not_matter_while_its_predicate_is_false()
    {
        // (p6) cmp.eq p7,p7=r0,r0.
        const string bundle = "c1380000073800000002000000000400";
        Assert.True(Run(bundle, "\"pr\":\"0x1\"", "0x1010").GetProperty("reached").GetBoolean());
        Assert.True(Run(bundle, "\"pr\":\"0x41\"", GeneralException).GetProperty("reached").GetBoolean());
    }

    private static JsonElement Run(string bundle, string init, string stop) => Exec($$$"""
        {"entry":"0x1000","bundles":[["0x1000","{{{bundle}}}"]],"stop":"{{{stop}}}","max":3,"init":{"psr":"0x2000","cr":{"iva":"0x10000"},{{{init}}}}}
        """);
}
